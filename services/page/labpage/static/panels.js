// Panels on a page: which are seen, asked for together once in each interval, and drawn.
import * as charts from "/assets/charts.js";
import * as plain from "/assets/plain.js";

const { element } = plain;
const CHARTS = new Set(["chart", "bars", "heatmap"]);

export function lookOf(node, language) {
  const style = getComputedStyle(node);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const body = document.body.classList;
  const isDark = body.contains("body--dark") || (!body.contains("body--light") && dark);
  return {
    text: style.color,
    font: style.fontFamily,
    line: isDark ? "rgba(255,255,255,0.16)" : "rgba(0,0,0,0.14)",
    background: style.backgroundColor === "rgba(0, 0, 0, 0)" ? (isDark ? "#181b1f" : "#ffffff") : style.backgroundColor,
    language,
  };
}

class Panel {
  constructor(spec, group) {
    this.spec = spec;
    this.group = group;
    this.key = `${spec.board}.${spec.number}`;
    this.seen = false;
    this.hidden = new Set();
    this.sorted = {};
    this.kind = null;
    const { x, y, width, height } = spec.place;
    const id = `panel-${spec.board}-${spec.number}`;
    this.body = element("div", { class: "body" }, element("p", { class: "empty" }, group.words.asking));
    this.legend = element("div", { class: "below" });
    const help = spec.description ? element("details", { class: "help" }, element("summary", { "aria-label": `${group.words.about}: ${spec.title}` }, "i"), element("p", {}, spec.description)) : null;
    this.node = element("section", { class: `panel ${spec.kind}`, "data-panel": this.key, "data-state": "asking", "aria-labelledby": id, style: { gridColumn: `${x + 1} / span ${width}`, gridRow: `${y + 1} / span ${height}` } },
      element("header", {}, element("h2", { id }, spec.title), help), this.body, this.legend);
  }

  draw(drawn) {
    if (drawn.kind === "silent") {
      // What is drawn stays, and says that it is old; the frame's line says why.
      this.node.dataset.old = "";
      if (this.kind === null) this.plain(plain.empty(drawn), "silent");
      return;
    }
    delete this.node.dataset.old;
    this.drawn = drawn;
    if (CHARTS.has(drawn.kind)) this.canvas(drawn);
    else this.html(drawn);
    this.node.dataset.state = drawn.kind === "empty" ? "empty" : "drawn";
    this.kind = drawn.kind;
  }

  canvas(drawn) {
    if (!this.chart) {
      this.body.replaceChildren();
      this.body.setAttribute("role", "img");
      this.body.setAttribute("aria-label", `${this.spec.title} ${this.spec.description}`);
      this.chart = this.group.echarts.init(this.body, null, { renderer: "canvas" });
      this.sizes = new ResizeObserver(() => this.chart?.resize());
      this.sizes.observe(this.body);
      this.body.addEventListener("mousemove", (event) => this.group.point(this, event.offsetX));
      this.body.addEventListener("mouseleave", () => this.group.point(this, null));
    }
    this.legends(drawn);
    const look = lookOf(this.node, this.group.language);
    const option = drawn.kind === "chart" ? charts.chart(drawn, look, this.group.marks, this.group.hiddenMarks, this.hidden)
      : drawn.kind === "bars" ? charts.bars(drawn, look, this.hidden)
      : charts.heatmap(drawn, look);
    this.chart.setOption(option, { notMerge: this.kind !== drawn.kind, replaceMerge: ["series"], lazyUpdate: false });
  }

  html(drawn) {
    const redraw = () => this.draw(this.drawn);
    const follow = (event, href) => this.group.follow(event, href);
    const made = drawn.kind === "table" ? plain.table(drawn, this.sorted, this.spec.title, redraw, follow)
      : drawn.kind === "number" ? plain.number(drawn)
      : drawn.kind === "text" ? plain.text(drawn, follow)
      : drawn.kind === "timeline" ? plain.timeline(drawn, this.group.words)
      : plain.empty(drawn);
    this.plain(made, drawn.kind);
    this.legends(drawn);
  }

  plain(made, kind) {
    this.drop();
    const scrolled = this.body.querySelector(".scroll");
    const [left, top] = scrolled ? [scrolled.scrollLeft, scrolled.scrollTop] : [0, 0];
    const focused = scrolled && scrolled.contains(document.activeElement) ? [...scrolled.querySelectorAll("a, button")].indexOf(document.activeElement) : -2;
    if (kind === "text" && this.kind === "text" && this.body.firstChild?.innerHTML === made.innerHTML) return;
    this.body.replaceChildren(made);
    if (scrolled && made.classList.contains("scroll")) {
      made.scrollTo(left, top);
      if (focused === -1) made.focus({ preventScroll: true });
      if (focused >= 0) made.querySelectorAll("a, button")[focused]?.focus({ preventScroll: true });
    }
  }

  legends(drawn) {
    const entries = drawn.kind === "chart" ? drawn.lines.filter((line) => line.in_legend) : (drawn.kind === "bars" ? drawn.bars : []);
    if (drawn.kind === "timeline") {
      this.legend.replaceChildren(element("ul", { class: "legend" }, ...drawn.legend.map((one) => element("li", {}, element("i", { class: "swatch", style: { background: one.colour } }), one.name))));
      return;
    }
    const written = JSON.stringify([entries.map((e) => [e.name, e.colour, e.dash]), [...this.hidden]]);
    if (!drawn.legend || !entries.length || written === this.written) {
      if (!entries.length) this.legend.replaceChildren();
      return;
    }
    this.written = written;
    const focused = [...this.legend.querySelectorAll("button")].indexOf(document.activeElement);
    this.legend.replaceChildren(plain.legend(entries, this.hidden, (name) => this.alone(name), this.group.words.legend));
    if (focused >= 0) this.legend.querySelectorAll("button")[focused]?.focus();
  }

  alone(name) {
    const all = (this.drawn.lines ?? this.drawn.bars).map((line) => line.name);
    // A line that is not in the legend belongs to the one whose name it begins with.
    const kept = all.filter((other) => other === name || other.startsWith(`${name} `));
    const already = this.hidden.size && !this.hidden.has(name);
    this.hidden = new Set(already ? [] : all.filter((other) => !kept.includes(other)));
    this.draw(this.drawn);
  }

  pointAt(ms) {
    if (!this.chart || this.kind !== "chart") return;
    this.cross ??= this.node.appendChild(element("div", { class: "cross", "aria-hidden": "true" }));
    const at = ms === null ? null : this.chart.convertToPixel({ xAxisIndex: 0 }, ms);
    this.cross.hidden = at === null || at < 0 || at > this.body.clientWidth;
    if (at !== null) this.cross.style.left = `${this.body.offsetLeft + at}px`;
  }

  drop() {
    this.sizes?.disconnect();
    this.chart?.dispose();
    this.chart = null;
    this.body.removeAttribute("role");
    this.body.removeAttribute("aria-label");
  }
}

// The panels of one page. `choices()` says the time range and the variables, as a URLSearchParams.
export class Panels {
  constructor({ echarts, words, language, choices, every, follow }) {
    Object.assign(this, { echarts, words, language, choices, every, follow });
    this.panels = [];
    this.marks = [];
    this.marksOf = null;
    this.hiddenMarks = new Set();
    this.round = 0;
    this.observer = new IntersectionObserver((changes) => this.looked(changes), { rootMargin: "60px" });
    this.onVisible = () => document.visibilityState === "visible" && this.ask();
    document.addEventListener("visibilitychange", this.onVisible);
    this.themes = new MutationObserver(() => this.redraw());
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  }

  show(specs, { marksOf = null } = {}) {
    this.clear();
    this.marksOf = marksOf;
    this.panels = specs.map((spec) => new Panel(spec, this));
    for (const panel of this.panels) {
      panel.node.panel = panel;
      this.observer.observe(panel.node);
    }
    this.schedule();
    return this.panels.map((panel) => panel.node);
  }

  looked(changes) {
    let fresh = false;
    for (const { target, isIntersecting } of changes) {
      fresh ||= isIntersecting && !target.panel.seen;
      target.panel.seen = isIntersecting;
    }
    if (fresh) this.ask(this.panels.filter((panel) => panel.seen && panel.kind === null));
  }

  // All browsers ask at the same moments, so that the server asks Prometheus once for all of them.
  schedule() {
    clearTimeout(this.timer);
    const every = this.every();
    if (!every) return;
    const now = Date.now();
    this.timer = setTimeout(() => {
      this.ask();
      this.schedule();
    }, every * 1000 - (now % (every * 1000)) + 50 + Math.random() * 200);
  }

  async ask(panels = this.panels.filter((panel) => panel.seen)) {
    if (document.visibilityState !== "visible" || !panels.length) return;
    const round = ++this.round;
    const asked = new URLSearchParams(this.choices());
    asked.set("panels", panels.map((panel) => panel.key).join(","));
    if (this.marksOf) asked.set("marks", this.marksOf);
    asked.set("language", this.language);
    let answer;
    try {
      const response = await fetch(`/panels?${asked}`);
      if (!response.ok) throw new Error(String(response.status));
      answer = await response.json();
    } catch {
      // The frame says that the page's server does not answer.
      for (const panel of panels) panel.draw({ kind: "silent", text: this.words.page_away });
      return;
    }
    if (answer.marks) this.marks = answer.marks;
    for (const panel of panels) if (this.panels.includes(panel) && answer.panels[panel.key]) panel.draw(answer.panels[panel.key]);
    this.onAnswer?.(answer, round);
  }

  point(from, x) {
    const ms = x === null || from.kind !== "chart" ? null : from.chart.convertFromPixel({ xAxisIndex: 0 }, x);
    for (const panel of this.panels) if (panel !== from) panel.pointAt(ms);
  }

  redraw() {
    for (const panel of this.panels) if (panel.drawn) panel.draw(panel.drawn);
  }

  clear() {
    for (const panel of this.panels) {
      this.observer.unobserve(panel.node);
      panel.drop();
    }
    this.panels = [];
    this.marks = [];
  }

  close() {
    clearTimeout(this.timer);
    this.clear();
    this.observer.disconnect();
    this.themes.disconnect();
    document.removeEventListener("visibilitychange", this.onVisible);
  }
}
