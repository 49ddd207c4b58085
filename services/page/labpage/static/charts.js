// Panels that ECharts draws: lines, bars, heatmap. The server says what, this file how.
import { shown } from "/assets/units.js";

const VIRIDIS = ["#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"];

const two = (n) => String(n).padStart(2, "0");
export function clock(ms, withSeconds = true) {
  const t = new Date(ms);
  return `${two(t.getHours())}:${two(t.getMinutes())}${withSeconds ? `:${two(t.getSeconds())}` : ""}`;
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

function common(look) {
  return {
    animation: false,
    backgroundColor: "transparent",
    textStyle: { color: look.text, fontFamily: look.font, fontSize: 14 },
    grid: { left: 6, right: 14, top: 10, bottom: 4, containLabel: true },
  };
}

// An axis says 1.5, where a value says 1.50.
const tick = (value, drawn) => shown(Number(value.toPrecision(12)), drawn.unit, drawn.decimals).replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

// Where both ends are given, the lines between them are at even distances.
function between(drawn, low, high) {
  if (drawn.log || low === null || high === null) return undefined;
  const span = high - low;
  if (drawn.decimals !== 0) return span / 4;
  return [5, 4, 3].map((n) => span / n).find((step) => Number.isInteger(step));
}

// Bytes are counted in powers of two, so the lines of the axis are, too.
function powerOfTwo(drawn, high) {
  if (drawn.log || !["bytes", "binBps"].includes(drawn.unit)) return undefined;
  const most = high ?? Math.max(...(drawn.lines ?? drawn.bars).flatMap((line) => line.values.map((v) => v ?? 0)));
  return most > 0 ? 2 ** Math.ceil(Math.log2(most / 4)) : undefined;
}

function valueAxis(drawn, look) {
  const { low, high } = drawn.axis;
  return {
    type: drawn.log ? "log" : "value",
    min: low ?? undefined,
    max: high ?? undefined,
    logBase: 10,
    interval: powerOfTwo(drawn, high) ?? between(drawn, low, high),
    axisLabel: { color: look.text, fontSize: 14, hideOverlap: true, showMaxLabel: drawn.log ? false : undefined, formatter: (v) => tick(v, drawn) },
    splitLine: { lineStyle: { color: look.line } },
    axisLine: { show: false },
    splitNumber: 4,
    minInterval: drawn.decimals === 0 && drawn.unit === "none" ? 1 : undefined,
  };
}

function timeAxis(drawn, look) {
  const end = drawn.start + (drawn.count - 1) * drawn.step;
  const short = end - drawn.start <= 900000;
  return {
    type: "time",
    min: drawn.start,
    max: end,
    axisLabel: { color: look.text, fontSize: 14, hideOverlap: true, formatter: (ms) => clock(ms, short && ms % 60000 !== 0) },
    axisLine: { lineStyle: { color: look.line } },
    splitLine: { show: true, lineStyle: { color: look.line } },
    splitNumber: 4,
  };
}

const tooltipBox = (look) => ({
  backgroundColor: look.background,
  borderColor: look.line,
  textStyle: { color: look.text, fontSize: 14 },
  confine: true,
  transitionDuration: 0,
});

const row = (colour, name, text) =>
  `<div class="tip"><i style="background:${colour}"></i><span>${escaped(name)}</span><b>${escaped(text)}</b></div>`;

// The marks are drawn as vertical lines; `hidden` names the kinds that a person switched off.
function markLine(marks, drawn, hidden) {
  const end = drawn.start + (drawn.count - 1) * drawn.step;
  const seen = marks.filter((mark) => !hidden.has(mark.what) && mark.at >= drawn.start && mark.at <= end);
  return {
    silent: false,
    symbol: ["none", "triangle"],
    symbolSize: 7,
    animation: false,
    label: { show: false },
    data: seen.map((mark) => ({
      xAxis: mark.at,
      name: `${clock(mark.at)} ${mark.text}`,
      lineStyle: { color: mark.colour, type: "dashed", width: 1, opacity: 0.8 },
      itemStyle: { color: mark.colour },
    })),
    tooltip: { trigger: "item", formatter: (it) => escaped(it.name) },
  };
}

export function chart(drawn, look, marks, hiddenMarks, hiddenLines) {
  const lines = drawn.lines.filter((line) => !hiddenLines.has(line.name));
  const byIndex = [];
  const series = lines.map((line, at) => {
    byIndex[at] = line;
    return {
      type: "line",
      name: line.name,
      data: line.values.map((value, n) => [drawn.start + n * drawn.step, drawn.log && value !== null && value <= 0 ? null : value]),
      showSymbol: false,
      step: line.stepped ? "end" : false,
      connectNulls: false,
      lineStyle: { color: line.colour, width: line.width, type: line.dash.length ? line.dash : "solid", cap: line.dash[0] === 0 ? "round" : "butt", opacity: line.width ? 1 : 0 },
      itemStyle: { color: line.colour },
      areaStyle: line.fill ? { color: line.colour, opacity: line.fill / 100 } : undefined,
      emphasis: { disabled: true },
      silent: true,
    };
  });
  // Marks need a series; it has no line of its own.
  series.push({ type: "line", name: "", data: [], markLine: markLine(marks, drawn, hiddenMarks) });
  return {
    ...common(look),
    xAxis: timeAxis(drawn, look),
    yAxis: valueAxis(drawn, look),
    series,
    tooltip: {
      ...tooltipBox(look),
      trigger: "axis",
      axisPointer: { type: "line", lineStyle: { color: look.text, type: "dotted" } },
      formatter: (points) => {
        if (!Array.isArray(points)) return escaped(points.name ?? "");
        const rows = points
          .filter((p) => byIndex[p.seriesIndex]?.in_tooltip && p.value?.[1] !== null && p.value?.[1] !== undefined)
          .map((p) => [p.value[1], byIndex[p.seriesIndex]]);
        if (drawn.descending) rows.sort((a, b) => b[0] - a[0]);
        if (!rows.length) return "";
        return clock(points[0].value[0]) + rows.map(([v, line]) => row(line.colour, line.name, shown(v, drawn.unit, drawn.decimals))).join("");
      },
    },
  };
}

export function bars(drawn, look, hiddenLines) {
  const kept = drawn.bars.filter((one) => !hiddenLines.has(one.name));
  return {
    ...common(look),
    grid: { left: 6, right: 14, top: 10, bottom: 22, containLabel: true },
    xAxis: {
      type: "category",
      data: drawn.names,
      name: drawn.x,
      nameLocation: "middle",
      nameGap: 28,
      nameTextStyle: { color: look.text, fontSize: 14 },
      axisLabel: { color: look.text, fontSize: 14, formatter: (text) => Number(text).toLocaleString(look.language) },
      axisLine: { lineStyle: { color: look.line } },
    },
    yAxis: valueAxis(drawn, look),
    series: kept.map((one) => ({
      type: "bar",
      name: one.name,
      data: one.values,
      itemStyle: { color: one.colour, opacity: (drawn.fill ?? 100) / 100, borderColor: one.colour },
      barCategoryGap: "20%",
      barGap: "4%",
      emphasis: { focus: "series" },
    })),
    tooltip: {
      ...tooltipBox(look),
      trigger: "item",
      formatter: (p) => `${escaped(drawn.x)} ${escaped(p.name)}${row(p.color, p.seriesName, shown(p.value, drawn.unit, drawn.decimals))}`,
    },
  };
}

export function heatmap(drawn, look) {
  const counts = drawn.cells.map((cell) => cell[2]);
  const moments = Array.from({ length: drawn.count }, (_, n) => drawn.start + n * drawn.step);
  return {
    ...common(look),
    grid: { left: 6, right: drawn.legend ? 84 : 14, top: 10, bottom: 4, containLabel: true },
    xAxis: {
      type: "category",
      data: moments,
      axisLabel: { color: look.text, fontSize: 14, hideOverlap: true, formatter: (ms) => clock(Number(ms), Number(ms) % 60000 !== 0) },
      axisLine: { lineStyle: { color: look.line } },
      axisTick: { show: false },
    },
    yAxis: { type: "category", data: drawn.bands, axisLabel: { color: look.text, fontSize: 14, interval: Math.ceil(drawn.bands.length / 6) - 1 }, axisTick: { show: false }, axisLine: { show: false } },
    visualMap: {
      show: drawn.legend,
      type: "continuous",
      min: Math.min(...counts),
      max: Math.max(...counts, Math.min(...counts) + 1e-9),
      inRange: { color: VIRIDIS },
      calculable: false,
      orient: "vertical",
      right: 0,
      top: "middle",
      itemWidth: 10,
      itemHeight: 90,
      text: [shown(Math.max(...counts), drawn.unit), shown(Math.min(...counts), drawn.unit)],
      textStyle: { color: look.text, fontSize: 12 },
    },
    series: [{ type: "heatmap", data: drawn.cells, itemStyle: { borderColor: look.background, borderWidth: 1 }, progressive: 0, emphasis: { disabled: true } }],
    tooltip: {
      ...tooltipBox(look),
      formatter: (p) => {
        const [moment, band, count] = p.value;
        const from = band > 0 ? drawn.bands[band - 1] : "0";
        return `${clock(moments[moment])}${row(p.color, `${from} – ${drawn.bands[band]}`, shown(count, drawn.unit))}`;
      },
    },
  };
}
