// The picture: drawn from a layout and numbers that the server computes; here are words, shapes and movement only.
import { listen } from "/assets/frame.js";
import { openDetails } from "/assets/details.js";
import { amount, duration, rate, share } from "/assets/short.js";

const SVG = "http://www.w3.org/2000/svg";
const SPEED = 95; // units a second
const FRAME_MS = 33;
const DOT = 5.5;
const still = matchMedia("(prefers-reduced-motion: reduce)");

function make(name, attributes = {}, parent = null, words = null) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (words !== null) node.textContent = words;
  parent?.append(node);
  return node;
}

const outline = (points) => points.map(([x, y], at) => `${at ? "L" : "M"}${x} ${y}`).join("") + "Z";
const kindOf = (shares) => shares.split(" ")[0].replaceAll("/", "");
const put = (node, words) => node.textContent !== words && (node.textContent = words);
const name = (node, value) => node.getAttribute("class") !== value && node.setAttribute("class", value);

// Dots a second for messages a second: each doubling adds the same, so that 1/s and 100,000/s both look like what they are.
const dots = (perSecond) => (perSecond > 0 ? Math.min(5, 0.35 * Math.log2(1 + perSecond) + 0.1) : 0);

class Track {
  // From `from` to `to`, on one height.
  constructor(layer, from, to, y) {
    Object.assign(this, { layer, from, to, y, perSecond: 0, lossShare: 0, due: Math.random(), moving: [] });
    this.way = to > from ? 1 : -1;
    this.length = Math.abs(to - from);
  }

  set(perSecond, lossShare) {
    this.perSecond = dots(perSecond);
    this.lossShare = lossShare;
  }

  step(seconds) {
    this.due += this.perSecond * seconds;
    while (this.due >= 1) {
      this.due -= 1;
      const lost = Math.random() < this.lossShare;
      const node = lost
        ? make("path", { d: "M-6 -6L6 6M6 -6L-6 6", class: "lost" }, this.layer)
        : make("circle", { r: DOT, class: "message" }, this.layer);
      this.moving.push({ node, at: 0, fall: 0, lost });
    }
    for (const dot of this.moving) {
      dot.at += SPEED * seconds;
      if (dot.lost && dot.at > this.length / 2) dot.fall += 70 * seconds;
      const along = dot.fall ? this.length / 2 : dot.at;
      dot.node.setAttribute("transform", `translate(${this.from + this.way * along} ${this.y + dot.fall})`);
    }
    const gone = this.moving.filter((dot) => dot.at >= this.length && !(dot.lost && dot.fall < 30));
    for (const dot of gone) dot.node.remove();
    if (gone.length) this.moving = this.moving.filter((dot) => !gone.includes(dot));
  }

  drop() {
    for (const dot of this.moving) dot.node.remove();
    this.moving = [];
  }
}

export function start(root, words, facts, kiosk) {
  const headline = root.appendChild(document.createElement("h1"));
  const lead = root.appendChild(document.createElement("p"));
  headline.id = "headline";
  headline.setAttribute("aria-live", "polite");
  lead.className = "lead";
  lead.textContent = words.lead;
  const svg = make("svg", { class: "drawing", role: "group", "aria-label": words.title }, root);
  let drawn = null; // what the layout was, as text
  let pairs = {};
  let now = null;
  const say = (key, values = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (all, one) => (one in values ? values[one] : all));

  function press(group, key, label, open) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "0");
    group.setAttribute("data-key", key);
    group.setAttribute("aria-label", label);
    group.addEventListener("click", open);
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    });
  }

  function details(mechanism, part) {
    if (kiosk) return;
    openDetails({ mechanism, part, words, facts: facts[mechanism] ?? {}, current: () => now });
  }

  function draw(layout) {
    const focused = root.contains(document.activeElement) ? document.activeElement.getAttribute("data-key") : null;
    for (const pair of Object.values(pairs)) pair.tracks.forEach((track) => track.drop());
    svg.replaceChildren();
    pairs = {};
    const height = layout.height + 34;
    svg.setAttribute("viewBox", `0 0 ${layout.width} ${height}`);
    svg.style.aspectRatio = `${layout.width} / ${height}`;
    make("path", { d: outline(layout.host), class: "host" }, svg);
    make("text", { x: 18, y: 27, class: "place" }, svg, layout.second_host ? words.first_host : words.host);
    if (layout.second_host) {
      const { x, y, w, h } = layout.second_host;
      make("rect", { x, y, width: w, height: h, rx: 8, class: "host second" }, svg);
      make("text", { x: x + w / 2, y: y + 22, class: "place middle" }, svg, words.second_host);
    }
    for (const frame of layout.frames) {
      const kind = kindOf(frame.shares);
      const group = make("g", { class: "frame-group" }, svg);
      make("path", { d: outline(frame.outline), class: `frame ${kind}` }, group);
      if (kind === "ipc") {
        const [x, y] = frame.outline[0];
        make("text", { x: x + 12, y: y + 20, class: "place" }, group, words.ipc_frame);
      }
      if (kind === "ipc") press(group, "holder", words.ipc_frame, () => details("", "holder"));
    }
    const layer = make("g", { class: "messages", "aria-hidden": "true" });
    for (const row of layout.rows) pairs[row.mechanism] = drawRow(row, layer);
    svg.append(layer);
    drawLegend(layout);
    if (focused) svg.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  function drawRow(row, layer) {
    const { mechanism, producer, consumer, held } = row;
    const y = held.y + held.h / 2;
    const left = row.to_left;
    const from = left ? producer.x : producer.x + producer.w;
    const into = left ? held.x + held.w : held.x;
    const out = left ? held.x : held.x + held.w;
    const to = left ? consumer.x + consumer.w : consumer.x;
    const group = make("g", { class: "pair", "data-pair": mechanism }, svg);
    const lines = [
      make("path", { d: `M${from} ${y}H${into}`, class: "line" }, group),
      make("path", { d: `M${out} ${y}H${to}`, class: "line" }, group),
    ];
    const arrow = make("path", { class: "arrow" }, group);
    const tip = left ? 1 : -1;
    arrow.setAttribute("d", `M${to} ${y}l${tip * 15} -9v18Z`);
    const cut = make("path", { d: `M${(out + to) / 2 - 9} ${y - 9}l18 18m0 -18l-18 18`, class: "cut" }, group);
    const middle = held.x + held.w / 2;
    const title = make("text", { x: middle, y: held.y - 7, class: "mechanism" }, group, mechanism);
    const figure = make("g", {}, group);
    const meaning = make("title", {}, figure); // shown by the browser where the pointer rests
    const number = make("text", { x: middle, y: held.y + held.h + 19, class: "number" }, figure);

    const object = make("g", { class: "held" }, group);
    make("rect", { x: held.x, y: held.y, width: held.w, height: held.h, rx: 5, class: "shape" }, object);
    const fill = make("rect", { x: held.x, y: held.y, width: 0, height: held.h, rx: 5, class: "fill" }, object);
    const says = make("text", { x: middle, y: y + 6, class: "says" }, object);
    press(object, `${mechanism}.held`, mechanism, () => details(mechanism, "held"));

    const boxes = {};
    for (const [role, at] of [["producer", producer], ["consumer", consumer]]) {
      const box = make("g", { class: "box" }, group);
      const more = make("rect", { x: at.x + 5, y: at.y - 4, width: at.w, height: at.h, rx: 7, class: "shape more" }, box);
      make("rect", { x: at.x, y: at.y, width: at.w, height: at.h, rx: 7, class: "shape" }, box);
      const step = at.h / 3;
      const texts = [0, 1, 2].map((line) =>
        make("text", { x: at.x + 10, y: at.y + step * (line + 0.5) + 6, class: line ? "figure" : "role" }, box),
      );
      press(box, `${mechanism}.${role}`, `${mechanism} ${role}`, () => details(mechanism, role));
      boxes[role] = { box, texts, more };
    }
    const tracks = [new Track(layer, from, into, y), new Track(layer, out, to, y)];
    return { group, lines, cut, title, number, meaning, room: Math.abs(to - from) - 12, object, fill, says, boxes, tracks, row };
  }

  function drawLegend(layout) {
    const y = layout.height + 20;
    const legend = make("g", { class: "legend" }, svg);
    let x = 14;
    const entry = (shape, key) => {
      shape.setAttribute("transform", `translate(${x + 10} ${y - 6})`);
      legend.append(shape);
      const text = make("text", { x: x + 28, y, class: "key" }, legend, words[key]);
      x += 28 + text.getComputedTextLength() + 26;
    };
    entry(make("circle", { r: DOT, class: "message" }), "legend_message");
    entry(make("path", { d: "M-6 -6L6 6M6 -6L-6 6", class: "lost" }), "legend_lost");
    entry(make("path", { d: "M-10 0H10", class: "line broken" }), "legend_broken");
    entry(make("rect", { x: -10, y: -8, width: 20, height: 16, rx: 4, class: "frame volume" }), "legend_frame");
    entry(make("rect", { x: -10, y: -7, width: 20, height: 14, rx: 3, class: "shape key-held" }), "legend_held");
    make("text", { x, y, class: "key" }, legend, words.legend_numbers);
  }

  function update(snapshot) {
    let good = 0;
    const bad = [];
    for (const [mechanism, view] of Object.entries(pairs)) {
      const pair = snapshot.pairs[mechanism];
      updatePair(view, pair);
      if (pair.state === "flows") good += 1;
      else bad.push(mechanism);
    }
    const count = good + bad.length;
    const listed = bad.length > 3 ? `${bad.slice(0, 3).join(", ")} …` : bad.join(", ");
    put(headline, bad.length ? say("some_fail", { count, bad: bad.length, listed }) : say("all_flow", { count }));
    name(headline, bad.length ? "bad" : "good");
  }

  function updatePair(view, pair) {
    const { state } = pair;
    name(view.group, `pair ${state}${pair.apart ? " apart" : ""}`);
    const title = `${pair.mechanism}${words[`in_${kindOf(pair.shares)}`]}`;
    if (view.title.dataset.whole !== title) {
      // What the pair shares is said where there is room; the frame's colour and the legend say it anyway.
      view.title.dataset.whole = title;
      view.title.textContent = title;
      if (view.title.getComputedTextLength() > view.room) view.title.textContent = pair.mechanism;
    }
    put(view.number, sentence(pair));
    put(view.meaning, state === "refused" ? meanings(pair).join(", ") : "");
    const stopped = ["refused", "no_consumer", "no_producer", "gone", "stopped"].includes(state);
    const broken = pair.apart || state === "refused";
    view.lines.forEach((line, at) => name(line, `line${broken && at ? " broken" : ""}`));
    name(view.cut, broken ? "cut" : "cut hidden");
    const lossShare = pair.lost ? Math.max(0.3, Math.min(0.9, pair.lost / 10 / ((pair.received ?? 0) + pair.lost / 10))) : 0;
    view.tracks[0].set(state === "refused" || state === "no_producer" ? 0 : pair.sent ?? 0, 0);
    view.tracks[1].set(stopped && !pair.received ? 0 : pair.received ?? 0, lossShare);
    if (pair.lost && view.tracks[1].perSecond === 0) view.tracks[1].set(pair.lost / 10, 1);
    updateHeld(view, pair);
    for (const role of ["producer", "consumer"]) updateBox(view.boxes[role], role, pair[`${role}s`], pair);
  }

  const meanings = (pair) => Object.entries(pair.errors).map(([errno, { meaning }]) => `${errno}: ${meaning}`);

  function sentence(pair) {
    const { state, numbers } = pair;
    switch (state) {
      case "flows":
        return `${rate(pair.received, words)} · ${duration(numbers.median)}${pair.lock_off.length ? ` · ${words.lock_off}` : ""}`;
      case "loses":
        return say("loses_now", { count: pair.lost.toLocaleString(words.locale) });
      case "refused":
        return Object.keys(pair.errors).join(", ");
      case "races":
        return words.races_now;
      default:
        return say(`${state}_now`, { rate: rate(pair.received, words) });
    }
  }

  function updateHeld(view, pair) {
    const { held } = pair;
    const { x, w } = view.row.held;
    const part = held.used !== null && held.limit ? Math.min(1, held.used / held.limit) : 0;
    const wide = Math.round(part * w);
    view.fill.setAttribute("width", wide);
    view.fill.setAttribute("x", view.row.to_left ? x + w - wide : x);
    name(view.fill, part > 0.8 ? "fill full" : "fill");
    name(view.object, `held ${held.kind}${held.exists ? "" : " absent"}`);
    let text = words[`held_${held.kind}`];
    if (!held.exists) text = words.held_absent;
    else if (held.attached !== null) text = say("held_attached", { count: held.attached });
    else if (held.unit === "messages" && held.limit) text = say("held_messages", { used: held.used, limit: held.limit });
    else if (held.limit) text = say(`held_${held.kind}_fill`, { share: share(part) });
    put(view.says, text);
    const label = `${pair.mechanism}: ${words[`held_${held.kind}`]}, ${text}`;
    if (view.object.getAttribute("aria-label") !== label) view.object.setAttribute("aria-label", label);
  }

  function updateBox(view, role, boxes, pair) {
    const here = boxes.filter((box) => box.here);
    const [first] = here;
    const known = (values) => (values.some((value) => value !== null) ? values.reduce((sum, value) => sum + (value ?? 0), 0) : null);
    const restarts = here.reduce((sum, box) => sum + box.restarts, 0);
    const count = here.length > 1 ? `×${here.length} · ` : "";
    put(view.texts[0], words[role]);
    name(view.more, here.length > 1 ? "shape more" : "shape more hidden");
    const placed = here.find((box) => box.placement);
    if (!first) {
      put(view.texts[1], words.not_here);
      put(view.texts[2], "");
    } else {
      const memory = known(here.map((box) => box.memory_bytes));
      const cpu = known(here.map((box) => box.cpu_cores));
      put(view.texts[1], `${count}${amount(memory)}${restarts ? ` · ↻${restarts}` : ""}`);
      put(view.texts[2], say("cpu", { share: cpu === null ? "–" : share(cpu, 1) }));
    }
    name(view.box, `box ${role}${first ? "" : " absent"}${placed && pair.apart ? " apart" : ""}`);
    const label = `${pair.mechanism} ${words[role]}: ${view.texts[1].textContent}, ${view.texts[2].textContent}`;
    if (view.box.getAttribute("aria-label") !== label) view.box.setAttribute("aria-label", label);
  }

  let before = performance.now();
  let running = true;
  let ready = null;
  function animate(at) {
    if (!running) return;
    ready = requestAnimationFrame(animate);
    if (at - before < FRAME_MS) return;
    const seconds = Math.min(0.2, (at - before) / 1000);
    before = at;
    if (still.matches || root.classList.contains("old")) return;
    for (const pair of Object.values(pairs)) for (const track of pair.tracks) track.step(seconds);
  }
  ready = requestAnimationFrame(animate);

  const leave = listen((snapshot) => {
    root.classList.toggle("old", snapshot.trouble === "silent" || snapshot.trouble === "page_away");
    if (!snapshot.layout) return;
    now = snapshot;
    const layout = JSON.stringify(snapshot.layout);
    if (layout !== drawn) {
      drawn = layout;
      draw(snapshot.layout);
    }
    update(snapshot);
    root.dataset.at = snapshot.at;
  });
  return () => {
    running = false;
    cancelAnimationFrame(ready);
    leave();
  };
}
