// What one thing of the picture is: a panel beside it, with its numbers, its graph over five minutes, its man page.
import { listen } from "/assets/frame.js";
import { panel } from "/assets/panel.js";
import { amount, duration, rate, share } from "/assets/short.js";

const SVG = "http://www.w3.org/2000/svg";
const REFRESH_MS = 5000;

function element(name, parent, words = null, attributes = {}) {
  const node = document.createElement(name);
  if (words !== null) node.textContent = words;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent?.append(node);
  return node;
}

export function openDetails({ mechanism, part, words, facts, current }) {
  panel(`${mechanism} ${words[`part_${part}`]}`.trim(), words.close, (body) => fill(body, { mechanism, part, words, facts, current }));
}

function fill(body, { mechanism, part, words, facts, current }) {
  element("p", body, words[`about_${part}`]);
  if (mechanism) element("p", body, words[`about.${mechanism}`] ?? words.about_unknown);
  const now = element("p", body, "", { class: "now" });
  const numbers = element("dl", body);
  const graph = element("figure", body);
  if (facts.man_page) {
    element("p", body, words.man_page, { class: "man" }).append(" ", element("code", null, facts.man_page));
    element("p", body, words.try_it, { class: "man" }).append(" ", element("code", null, command(part, mechanism)));
  }

  function show(snapshot) {
    const pair = snapshot?.pairs?.[mechanism];
    const rows = pair ? rowsOf(pair, part) : [[words.n_namespace, snapshot?.holder || "–"], [words.n_dev_shm, devShm(snapshot)]];
    now.textContent = pair ? words[`means_${pair.state}`] : "";
    numbers.replaceChildren();
    for (const [label, value] of rows) {
      element("dt", numbers, label);
      element("dd", numbers, value);
    }
  }

  function devShm(snapshot) {
    const { used, limit } = snapshot?.dev_shm ?? {};
    return used === null || used === undefined ? "–" : `${amount(used)} / ${amount(limit)}`;
  }

  function rowsOf(pair, which) {
    const n = pair.numbers;
    if (which === "held") {
      const { held } = pair;
      const unit = (value) => (held.unit === "messages" ? String(value) : amount(value));
      return [
        [words.n_exists, held.exists ? words.yes : words.no],
        ...(held.identity ? [[words.n_identity, held.identity]] : []),
        ...(held.attached !== null ? [[words.n_attached, String(held.attached)]] : []),
        ...(held.used !== null ? [[words.n_used, held.limit ? `${unit(held.used)} / ${unit(held.limit)}` : unit(held.used)]] : []),
        [words.n_in_flight, Math.round(n.in_flight ?? 0).toLocaleString(words.locale)],
      ];
    }
    const boxes = pair[`${which}s`].flatMap((box) => [
      [words.n_container, box.here ? box.container : words.not_here],
      ...(box.placement ? [[words.n_placement, box.placement]] : []),
      ...(box.here ? [
        [words.n_memory, `${amount(box.memory_bytes)} / ${amount(box.memory_limit_bytes)}`],
        [words.n_cpu, box.cpu_cores === null ? "–" : share(box.cpu_cores, 1)],
        [words.n_restarts, String(box.restarts)],
        [words.n_descriptors, String(box.descriptors ?? "–")],
        [words.n_namespace, box.ipc],
      ] : []),
    ]);
    const errors = Object.entries(pair.errors).map(([errno, { count, meaning }]) => `${errno} ×${count}: ${meaning}`).join(", ") || words.none;
    const flow = which === "producer"
      ? [[words.n_sent, rate(pair.sent, words)], [words.n_wanted, rate(n.wanted, words)], [words.n_errors, errors]]
      : [
          [words.n_received, rate(pair.received, words)],
          [words.n_median, duration(n.median)],
          [words.n_p99, duration(n.p99)],
          [words.n_lost, Math.round(n.lost_total ?? 0).toLocaleString(words.locale)],
        ];
    return [...flow, ...boxes];
  }

  async function drawGraph() {
    if (!mechanism) return;
    let lines;
    try {
      lines = await (await fetch(`/history/${encodeURIComponent(mechanism)}`)).json();
    } catch {
      return; // the frame says that the server is away
    }
    if (!lines.received) return;
    graph.replaceChildren(chart(lines), element("figcaption", null, words.graph));
  }

  function chart({ start, end, sent, received }) {
    const width = 420;
    const height = 150;
    const highest = Math.max(1, ...sent.map((point) => point[1]), ...received.map((point) => point[1]));
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", words.graph);
    const draw = (points, className) => {
      const path = document.createElementNS(SVG, "path");
      const at = ([time, value]) =>
        `${(((time - start) / (end - start)) * width).toFixed(1)} ${(height - 24 - (value / highest) * (height - 50)).toFixed(1)}`;
      path.setAttribute("d", points.map((point, index) => `${index ? "L" : "M"}${at(point)}`).join(""));
      path.setAttribute("class", className);
      svg.append(path);
    };
    const label = (x, y, text, anchor) => {
      const node = document.createElementNS(SVG, "text");
      node.setAttribute("x", x);
      node.setAttribute("y", y);
      node.setAttribute("text-anchor", anchor);
      node.textContent = text;
      svg.append(node);
    };
    draw([[start, 0], [end, 0]], "axis");
    draw(sent, "sent");
    draw(received, "received");
    label(0, 18, `${rate(highest, words)}`, "start");
    label(0, height - 4, words.graph_start, "start");
    label(width, height - 4, words.graph_end, "end");
    return svg;
  }

  show(current());
  drawGraph();
  const leave = listen(show);
  const timer = setInterval(drawGraph, REFRESH_MS);
  return () => {
    leave();
    clearInterval(timer);
  };
}

function command(part, mechanism) {
  if (part === "held") return `./lab status --kernel`;
  if (part === "producer") return `./lab load ${mechanism} --rate 1000`;
  return `./lab place ${mechanism} second_host`;
}
