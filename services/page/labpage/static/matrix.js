// The matrix: a table of buttons. Predict hides what they say; pressing one shows it. Shown cells open their evidence.
import { panel, row } from "/assets/panel.js";
import { duration } from "/assets/short.js";

const REFRESH_MS = 2000;

function element(name, parent, words = null, attributes = {}) {
  const node = document.createElement(name);
  if (words !== null) node.textContent = words;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent?.append(node);
  return node;
}

export function start(root, words) {
  const head = element("div", root, null, { class: "matrix-head" });
  element("h1", head, words.heading);
  const choices = element("div", head, null, { class: "matrix-choices" });
  const counted = element("span", choices, "", { "aria-live": "polite" });
  const predict = element("button", choices, words.predict, { type: "button", "aria-pressed": "false" });
  const reveal = element("button", choices, words.reveal, { type: "button", hidden: "" });
  element("p", root, words.lead, { class: "lead" });
  const table = element("table", root);
  const say = (key, values) => words[key].replace(/\{(\w+)\}/g, (all, one) => values[one] ?? all);
  const shown = new Set();
  const buttons = new Map();
  let predicting = false;
  let data = null;
  let drawn = "";
  let evidence = null;

  function draw() {
    const shape = JSON.stringify([data.placements, data.cells.map((cell) => cell.mechanism)]);
    if (shape !== drawn) {
      drawn = shape;
      table.replaceChildren();
      buttons.clear();
      const top = element("tr", element("thead", table));
      element("th", top, words.mechanism, { scope: "col" });
      for (const place of data.placements) {
        const heading = element("th", top, words[place], { scope: "col" });
        element("span", heading, place === "same_container" ? words.everything : data.shares[place].join(", "), { class: "shares" });
      }
      const body = element("tbody", table);
      let line = null;
      let mechanism = "";
      for (const cell of data.cells) {
        if (cell.mechanism !== mechanism) {
          mechanism = cell.mechanism;
          line = element("tr", body);
          element("th", line, mechanism, { scope: "row" });
        }
        const key = `${cell.mechanism} ${cell.placement}`;
        const button = element("button", element("td", line), "", { type: "button", "data-cell": key });
        button.addEventListener("click", () => press(key));
        buttons.set(key, button);
      }
    }
    for (const cell of data.cells) show(cell);
    counted.textContent = predicting ? say("voted", { count: shown.size, all: data.cells.length }) : "";
  }

  function show(cell) {
    const key = `${cell.mechanism} ${cell.placement}`;
    const button = buttons.get(key);
    const hidden = predicting && !shown.has(key);
    const text = hidden
      ? words.hidden
      : cell.success === null
        ? words.not_measured
        : cell.success
          ? `✓ ${duration(cell.round_trip_s)}`
          : `✗ ${cell.error}`;
    const kind = hidden ? "hidden-cell" : cell.success === null ? "unknown" : cell.success ? "reached" : "refused";
    const odd = hidden || cell.success === null || cell.as_predicted ? "" : " odd";
    if (button.textContent !== text) button.textContent = text;
    button.className = `${kind}${odd}`;
    const label = `${cell.mechanism}, ${words[cell.placement]}: ${hidden ? words.hidden_label : text}`;
    if (button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
  }

  function press(key) {
    if (predicting && !shown.has(key)) {
      shown.add(key);
      draw();
      return;
    }
    const cell = data.cells.find((one) => `${one.mechanism} ${one.placement}` === key);
    evidence?.();
    evidence = panel(`${cell.mechanism}, ${words[cell.placement]}`, words.close, (body) => fill(body, cell));
  }

  function fill(body, cell) {
    const verdict = cell.success === null ? words.not_measured : cell.success ? `✓ ${words.reached}` : `✗ ${cell.error}`;
    element("p", body, verdict, { class: `verdict ${cell.success ? "reached" : "refused"}` });
    if (cell.reason) {
      element("p", body, cell.reason);
      element("p", body, `${words.source}: `).append(element("code", null, cell.source));
    }
    if (cell.error) {
      const call = cell.call
        ? say("call_failed", { call: cell.call, error: cell.error })
        : /^E[A-Z0-9]+$/.test(cell.error) && !cell.error.startsWith("EAI") ? "" : words.no_call_failed;
      if (call) element("p", body, call, { class: "call" });
    }
    const numbers = element("dl", body);
    if (cell.success) {
      row(numbers, words.round_trip, duration(cell.round_trip_s));
      if (cell.range_s) row(numbers, say("range", { tries: cell.tries }), cell.range_s.map((one) => duration(one)).join(" – "));
    }
    row(numbers, words.needs, cell.needs.join(", "));
    row(numbers, words.has, cell.shares.join(", ") || words.nothing_shared);
    const spaces = element("table", body, null, { class: "namespaces" });
    element("caption", spaces, words.namespaces);
    const top = element("tr", element("thead", spaces));
    for (const key of ["kind", "responder", "probe"]) element("th", top, words[key], { scope: "col" });
    element("th", top, "=", { scope: "col" });
    const lines = element("tbody", spaces);
    for (const [kind, responder, probe] of cell.namespaces) {
      const line = element("tr", lines);
      element("th", line, kind, { scope: "row" });
      element("td", line, responder || "–");
      element("td", line, probe || "–");
      const known = responder && probe && !cell.elsewhere;
      element("td", line, known ? (responder === probe ? words.same : words.different) : "–");
    }
    if (cell.elsewhere) element("p", body, words.another_kernel);
    element("p", body, cell.as_predicted ? words.predicted : words.not_predicted);
    element("p", body, `${words.man_page} `).append(element("code", null, cell.man_page));
    if (cell.explained) element("p", body, words.traced).append(" ", element("code", null, `./lab matrix --explain ${cell.mechanism} ${cell.placement}`));
  }

  predict.addEventListener("click", () => {
    predicting = !predicting;
    predict.setAttribute("aria-pressed", String(predicting));
    reveal.hidden = !predicting;
    shown.clear();
    if (data) draw();
  });
  reveal.addEventListener("click", () => {
    for (const key of buttons.keys()) shown.add(key);
    draw();
  });
  // The arrows go from cell to cell.
  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!cell || !step) return;
    const line = table.rows[cell.parentElement.rowIndex + step[0]];
    const next = line?.cells[cell.cellIndex + step[1]]?.querySelector("button");
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  let running = true;
  async function refresh() {
    if (!running) return;
    try {
      const answer = await fetch("/matrix.json");
      if (answer.ok) {
        data = await answer.json();
        draw();
        root.dataset.at = String(Date.now());
      }
    } catch {
      // the frame says that the server is away
    }
    setTimeout(refresh, REFRESH_MS);
  }
  refresh();
  return () => {
    running = false;
    evidence?.();
  };
}
