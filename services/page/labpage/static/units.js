// Numbers with their units, for axes and tooltips: the same as labpage/panels/units.py, which tables and numbers use.
// A test asks both for the same values.
const SUFFIX = "suffix:";
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];
const SECONDS = [
  [1e-6, 1e9, "ns"],
  [1e-3, 1e6, "µs"],
  [1, 1e3, "ms"],
  [60, 1, "s"],
  [3600, 1 / 60, "mins"],
  [86400, 1 / 3600, "hours"],
  [604800, 1 / 86400, "days"],
  [31536000, 1 / 604800, "weeks"],
];

function places(value) {
  if (value % 1 === 0) return 0;
  let found = 1 - Math.floor(Math.log(Math.abs(value)) / Math.log(10));
  if (value / Math.pow(10, -found) > 2.25) found += 1;
  return Math.max(0, Math.min(found, 20));
}

export function number(value, decimals = null) {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (value === 0) return "0";
  const shown = decimals === null ? places(value) : decimals;
  const rounded = Math.floor(value * Math.pow(10, shown) + 0.5) / Math.pow(10, shown);
  return (rounded + 0).toFixed(shown);
}

export function shown(value, unit = "none", decimals = null) {
  if (unit.startsWith(SUFFIX)) return `${number(value, decimals)} ${unit.slice(SUFFIX.length).trim()}`;
  const size = Math.abs(value);
  switch (unit) {
    case "none":
      return number(value, decimals);
    case "percentunit":
      return `${number(100 * value, decimals)}%`;
    case "bytes":
    case "binBps": {
      let steps = 0;
      while (Math.abs(value) >= 1024 && steps < BINARY.length - 1) [value, steps] = [value / 1024, steps + 1];
      return `${number(value, decimals)} ${BINARY[steps]}${unit === "bytes" ? "B" : "B/s"}`;
    }
    case "s": {
      if (value === 0) return "0 s";
      const row = SECONDS.find(([below]) => size < below);
      return row ? `${number(value * row[1], decimals)} ${row[2]}` : `${number(value / 31556900, decimals)} years`;
    }
    case "µs":
      if (size < 1e3) return `${number(value, decimals)} µs`;
      if (size < 1e6) return `${number(value / 1e3, decimals)} ms`;
      return `${number(value / 1e6, decimals)} s`;
    default:
      throw new Error(`the page does not know the unit ${unit}`);
  }
}
