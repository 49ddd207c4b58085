// The curve: time by size on logarithmic axes, three comparisons, under one set of conditions that are chosen above.
import { clock } from "/assets/charts.js";
import { lookOf } from "/assets/panels.js";
import { element, legend } from "/assets/plain.js";
import { shown } from "/assets/units.js";

const EVERY_MS = 10000;
// Of what has no colour of its own, or is the second line of one colour.
const DASHES = [[8, 6], [2, 5], [14, 4, 2, 4]];
const CONDITIONS = ["touched", "shape", "wait", "cpus"];
const FIRST = { touched: "no", shape: "one-way", wait: "block", cpus: "one" };

export function curve(root, spec, echarts) {
  const words = spec.words;
  const chosen = { ...FIRST };
  const hidden = new Set();
  let bench = { at: null, cells: [] };
  let charts = [];

  const head = element("div", { class: "bar" });
  const said = element("p", { class: "conditions" });
  const grid = element("div", { class: "curves" });
  root.replaceChildren(head, said, grid);

  // Of shared memory there are two ways: with copies and without. A line is the faster one, size by size.
  function fastest(cells) {
    const best = new Map();
    for (const cell of cells) if (!best.has(cell.size) || cell.seconds < best.get(cell.size).seconds) best.set(cell.size, cell);
    return [...best.values()];
  }

  const matching = () => bench.cells.filter((cell) => CONDITIONS.every((name) => cell[name] === chosen[name]));
  const names = (cells) => [...new Set(cells.map((cell) => cell.mechanism))].sort();
  const line = (name, label, cells, dash = []) => ({ name: label, colour: spec.colours[name] ?? "#8C8C8C", dash, width: 2, cells });

  function comparisons() {
    const cells = matching();
    const ours = cells.filter((cell) => cell.implementation === "python");
    const inC = cells.filter((cell) => cell.implementation === "c");
    const others = cells.filter((cell) => !["python", "c", "limit"].includes(cell.implementation));
    // A copy in memory is a limit that has sizes; the other limits of the machine are in the bench's tables.
    const copy = bench.cells.filter((cell) => cell.implementation === "limit" && cell.mechanism === "memory_copy");
    const limits = copy.length ? [line("memory_copy", words.memory_copy, copy, DASHES[1])] : [];
    const all = names(ours).map((name) => line(name, name, fastest(ours.filter((cell) => cell.mechanism === name))));
    const foreign = [...new Set(others.map((cell) => cell.implementation))].map((name, at) => line(name, name, fastest(others.filter((cell) => cell.implementation === name)), DASHES[at % DASHES.length]));
    const both = names(ours).filter((name) => new Set(ours.filter((cell) => cell.mechanism === name).map((cell) => cell.copies)).size > 1);
    const ways = both.flatMap((name) => ["no", "yes"].map((copies) => line(name, `${name} ${words[`copies_${copies}`]}`, ours.filter((cell) => cell.mechanism === name && cell.copies === copies), copies === "yes" ? DASHES[0] : [])));
    const c = names(inC).flatMap((name) => [line(name, name, fastest(ours.filter((cell) => cell.mechanism === name))), line(name, `${name} C`, fastest(inC.filter((cell) => cell.mechanism === name)), DASHES[0])]);
    return [["by_size", [...all, ...foreign, ...limits]], ["zero_copy", ways], ["python_c", c]];
  }

  function option(lines, look) {
    const seconds = lines.flatMap((one) => one.cells.map((cell) => cell.seconds));
    const byIndex = lines.filter((one) => !hidden.has(one.name));
    return {
      animation: false,
      backgroundColor: "transparent",
      textStyle: { color: look.text, fontFamily: look.font },
      grid: { left: 6, right: 22, top: 12, bottom: 26, containLabel: true },
      xAxis: { type: "log", logBase: 4, name: words.size, nameLocation: "middle", nameGap: 28, nameTextStyle: { color: look.text, fontSize: 14 }, min: "dataMin", max: "dataMax", axisLabel: { color: look.text, fontSize: 14, hideOverlap: true, formatter: (v) => shown(Math.round(v), "bytes", 0) }, splitLine: { lineStyle: { color: look.line } } },
      yAxis: { type: "log", min: 10 ** Math.floor(Math.log10(Math.min(...seconds))), axisLabel: { color: look.text, fontSize: 14, showMaxLabel: false, formatter: (v) => shown(v, "s", 0) }, splitLine: { lineStyle: { color: look.line } } },
      series: byIndex.map((one) => ({
        type: "line",
        name: one.name,
        data: one.cells.map((cell) => ({ value: [cell.size, cell.seconds], cell, symbol: cell.noisy ? "emptyCircle" : "circle" })),
        symbolSize: 7,
        lineStyle: { color: one.colour, width: 2, type: one.dash.length ? one.dash : "solid" },
        itemStyle: { color: one.colour },
        emphasis: { focus: "series" },
      })),
      tooltip: {
        trigger: "item",
        confine: true,
        backgroundColor: look.background,
        borderColor: look.line,
        textStyle: { color: look.text, fontSize: 14 },
        formatter: (p) => {
          const cell = p.data.cell;
          const rows = [`<b>${p.seriesName}</b>`, `${shown(cell.size, "bytes", 0)}: ${shown(cell.seconds, "s", 2)}`];
          if (cell.p99 !== null) rows.push(`p99 ${shown(cell.p99, "s", 2)}`);
          if (cell.noisy) rows.push(words.noisy);
          return rows.join("<br>");
        },
      },
    };
  }

  function drop() {
    for (const one of charts) one.dispose();
    charts = [];
  }

  function show() {
    drop();
    const made = bench.at ? new Date(bench.at) : null;
    const options = (name) => [...new Set(bench.cells.map((cell) => cell[name]))].sort();
    for (const name of CONDITIONS) if (bench.cells.length && !options(name).includes(chosen[name])) chosen[name] = options(name)[0];
    head.replaceChildren(element("h1", {}, words.heading), ...(made ? CONDITIONS.map((name) => {
      const select = element("select", { onchange: () => { chosen[name] = select.value; show(); } }, ...options(name).map((value) => element("option", { value, selected: value === chosen[name] }, words[`${name}_${value}`.replaceAll("-", "_")] ?? value)));
      return element("label", {}, element("span", {}, words[name]), select);
    }) : []));
    if (!made) {
      said.textContent = "";
      grid.replaceChildren(element("section", { class: "panel", "data-panel": "curve.none", "data-state": "empty" }, element("p", { class: "empty" }, words.no_bench)));
      return;
    }
    const noisy = matching().filter((cell) => cell.noisy).length;
    said.textContent = words.conditions.replace("{time}", `${made.toLocaleDateString(spec.language)} ${clock(bench.at, false)}`).replace("{noisy}", noisy).replace("{cells}", matching().length);
    grid.replaceChildren(...comparisons().map(([key, lines]) => {
      const body = element("div", { class: "body", role: "img", "aria-label": `${words[key]} ${words[`${key}_about`]}` });
      const node = element("section", { class: "panel", "data-panel": `curve.${key}`, "data-state": lines.length ? "drawn" : "empty" },
        element("header", {}, element("h2", {}, words[key])), element("p", { class: "about" }, words[`${key}_about`]));
      if (!lines.length) {
        node.append(element("p", { class: "empty" }, words[`${key}_none`] ?? words.none));
        return node;
      }
      const toggle = (name) => {
        hidden.has(name) ? hidden.delete(name) : hidden.add(name);
        show();
      };
      node.append(body, element("div", { class: "below" }, legend(lines, hidden, toggle, words.legend)));
      requestAnimationFrame(() => {
        const made = echarts.init(body);
        made.setOption(option(lines, lookOf(node, spec.language)));
        charts.push(made);
      });
      return node;
    }));
  }

  async function ask() {
    if (document.visibilityState === "visible") {
      try {
        const response = await fetch("/bench");
        if (response.ok) {
          const found = await response.json();
          if (JSON.stringify(found) !== JSON.stringify(bench) || !grid.firstChild) {
            bench = found;
            show();
          }
        }
      } catch {
        // The frame's line says that the server does not answer.
      }
    }
    timer = setTimeout(ask, EVERY_MS);
  }

  let timer = null;
  const themes = new MutationObserver(show);
  themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  const resized = () => charts.forEach((one) => one.resize());
  window.addEventListener("resize", resized);
  ask();
  return () => {
    clearTimeout(timer);
    themes.disconnect();
    window.removeEventListener("resize", resized);
    drop();
  };
}
