// Numbers as a person reads them, each with its unit.
export function duration(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]]) {
    if (seconds >= size || unit === "µs") return `${three(seconds / size)} ${unit}`;
  }
}

export function amount(bytes) {
  if (bytes === undefined || bytes === null) return "–";
  let value = bytes;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (value < 1000 || unit === "GiB") return `${three(value)} ${unit}`;
    value /= 1024;
  }
}

export function rate(perSecond, words) {
  if (perSecond === undefined || perSecond === null) return "–";
  return `${Math.round(perSecond).toLocaleString(words.locale)}/s`;
}

export const share = (part, digits = 0) => `${(100 * part).toFixed(part < 0.095 ? digits : 0)} %`;

const three = (value) => (value >= 100 ? Math.round(value).toString() : Number(value.toPrecision(2)).toString());
