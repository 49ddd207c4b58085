// Panels that are HTML: tables, numbers, texts, bars of states.
import { clock } from "/assets/charts.js";

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "style") Object.assign(made.style, value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Black or white, whichever stands out more against a colour (WCAG 2.2, relative luminance).
export function readable(colour) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  const luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return luminance > 0.179 ? "#000" : "#fff";
}

const swatch = (colour) => element("i", { class: "swatch", style: { background: colour }, "aria-hidden": "true" });

function cell(content, isText, follow) {
  const text = content.link
    ? element("a", { href: content.link, title: content.title, onclick: (event) => follow(event, content.link) }, content.text)
    : content.text;
  const made = element("td", { class: isText ? "text" : "figure" });
  // A colour alone may be too faint to read, so a coloured name has a patch of it, and the text the page's colour.
  if (content.colour) made.append(swatch(content.colour));
  made.append(text);
  if (content.background) {
    made.style.background = content.background;
    made.style.color = readable(content.background);
  }
  return made;
}

const compared = (a, b) => {
  if (a.value !== undefined && b.value !== undefined) return a.value - b.value;
  if (a.value !== undefined || b.value !== undefined) return a.value !== undefined ? -1 : 1;
  return a.text.localeCompare(b.text, undefined, { numeric: true });
};

// `state` keeps what a person sorted by, over refreshes.
export function table(drawn, state, title, redraw, follow) {
  const rows = [...drawn.rows];
  if (state.by !== undefined && state.by < drawn.columns.length) {
    rows.sort((a, b) => (state.down ? -1 : 1) * compared(a[state.by], b[state.by]));
  }
  const head = drawn.columns.map((column, at) => {
    const sorted = state.by === at ? (state.down ? "descending" : "ascending") : null;
    const click = () => {
      if (state.by !== at) [state.by, state.down] = [at, false];
      else if (!state.down) state.down = true;
      else delete state.by;
      redraw();
    };
    const width = column.width ? `${column.width}px` : null;
    return element("th", { scope: "col", class: column.text ? "text" : "figure", "aria-sort": sorted, style: width ? { width } : { minWidth: `${column.least}px` } },
      element("button", { type: "button", onclick: click }, column.name, sorted ? (state.down ? " ↓" : " ↑") : ""));
  });
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
    element("table", {},
      element("thead", {}, element("tr", {}, ...head)),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((content, at) => cell(content, drawn.columns[at].text, follow)))))));
}

export function number(drawn) {
  return element("div", { class: "numbers" },
    ...drawn.numbers.map((one) =>
      element("p", {}, one.name ? element("span", {}, one.name) : null,
        element("b", { style: one.colour ? { borderColor: one.colour } : {}, class: one.colour ? "coloured" : "" }, one.text))));
}

export function text(drawn, follow) {
  const made = element("div", { class: "scroll prose", tabindex: "0" });
  made.innerHTML = drawn.html; // Markdown of the lab's own image
  for (const link of made.querySelectorAll("a[href^='?']")) link.addEventListener("click", (event) => follow(event, link.getAttribute("href")));
  return made;
}

export function timeline(drawn, words) {
  const last = drawn.count - 1;
  const percent = (index) => `${(100 * index) / last}%`;
  const at = (index) => clock(drawn.start + index * drawn.step);
  const rows = drawn.rows.map((one) =>
    element("div", { class: "row" }, element("span", { class: "name" }, one.name),
      element("div", { class: "track" },
        ...one.parts.map((part) => {
          const wide = (part.to - part.from) / last > 0.2;
          return element("div", {
            class: "part", role: "img", "aria-label": `${one.name}: ${part.text}, ${at(part.from)} – ${at(part.to)}`, title: `${part.text}, ${at(part.from)} – ${at(part.to)}`,
            style: { left: percent(part.from), width: percent(part.to - part.from), background: part.colour ?? "#777", color: readable(part.colour ?? "#777777") },
          }, wide ? part.text : "");
        }))));
  const ticks = [0, 1, 2, 3].map((n) => element("span", { style: { left: percent((n * last) / 4) } }, clock(drawn.start + ((n * last) / 4) * drawn.step, false)));
  return element("div", { class: "timeline" }, ...rows, element("div", { class: "row ticks", "aria-hidden": "true" }, element("span", { class: "name" }), element("div", { class: "track" }, ...ticks)));
}

export function empty(drawn) {
  return element("p", { class: "empty" }, drawn.text);
}

// Lines in a legend are buttons: one click shows a line alone, another one all again.
export function legend(entries, hidden, toggle, label) {
  return element("ul", { class: "legend", "aria-label": label },
    ...entries.map((entry) =>
      element("li", {}, element("button", { type: "button", "aria-pressed": String(!hidden.has(entry.name)), onclick: () => toggle(entry.name) }, stroke(entry), entry.name))));
}

function stroke(entry) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 22 8");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  for (const [name, value] of Object.entries({ x1: 1, y1: 4, x2: 21, y2: 4, stroke: entry.colour, "stroke-width": Math.max(entry.width ?? 4, 2), "stroke-dasharray": (entry.dash ?? []).map((n) => n / 2).join(" "), "stroke-linecap": entry.dash?.[0] === 0 ? "round" : "butt" })) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}
