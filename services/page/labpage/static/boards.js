// The six dashboards: which one, over which time, with which choices. The address has all of it, so it can be sent on.
import { element } from "/assets/plain.js";
import { Panels } from "/assets/panels.js";

export function boards(root, spec, echarts) {
  const words = spec.words;
  const query = () => new URLSearchParams(location.search);
  const current = () => spec.boards.find((board) => board.name === query().get("board")) ?? spec.boards[0];
  const known = (value, list, otherwise) => (list.includes(Number(value)) ? Number(value) : otherwise);
  const range = () => known(query().get("range"), spec.ranges, current().range);
  const every = () => (query().get("every") === "0" ? 0 : known(query().get("every"), spec.every, current().every));
  const address = (changes) => {
    const asked = query();
    for (const [name, value] of Object.entries(changes)) value === null ? asked.delete(name) : asked.set(name, value);
    return `?${asked}`;
  };
  const choices = () => {
    const asked = new URLSearchParams({ range: range(), every: every() || 5 });
    for (const variable of current().variables) {
      const chosen = query().get(`var-${variable.name}`);
      if (chosen) asked.set(`var-${variable.name}`, chosen);
    }
    return asked;
  };
  const go = (href, { anew = true } = {}) => {
    history.pushState(null, "", href);
    anew ? show() : panels.ask();
    if (!anew) panels.schedule();
  };
  const follow = (event, href) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(address(Object.fromEntries(new URLSearchParams(href))));
    root.querySelector("h1")?.focus();
  };
  const panels = new Panels({ echarts, words, language: spec.language, choices, every, follow });

  const tabs = element("nav", { class: "tabs", "aria-label": words.dashboards });
  const bar = element("div", { class: "bar" });
  const grid = element("div", { class: "grid24" });
  root.replaceChildren(tabs, bar, grid);

  function select(label, options, chosen, changed, help) {
    const made = element("select", { onchange: () => changed(made.value) },
      ...options.map(([value, text]) => element("option", { value, selected: String(value) === String(chosen) }, text)));
    return element("label", { title: help }, element("span", {}, label), made);
  }

  function choicesBar(board) {
    const parts = [element("h1", { tabindex: "-1", title: board.description }, board.title)];
    for (const variable of board.variables) {
      const chosen = query().get(`var-${variable.name}`) ?? variable.default;
      const offered = variable.options.length ? variable.options : (spec.offered[variable.name] ?? []);
      const options = [...(variable.all ? [[variable.all, words.all]] : []), ...offered.map((text) => [text, text])];
      parts.push(select(variable.label, options, chosen, (value) => go(address({ [`var-${variable.name}`]: value })), variable.description));
    }
    for (const mark of board.marks.filter((one) => one.choice)) {
      const box = element("input", { type: "checkbox", checked: !panels.hiddenMarks.has(mark.name), onchange: () => {
        box.checked ? panels.hiddenMarks.delete(mark.name) : panels.hiddenMarks.add(mark.name);
        panels.redraw();
      } });
      parts.push(element("label", { class: "mark" }, box, element("i", { class: "swatch", style: { background: mark.colour } }), mark.name));
    }
    parts.push(element("span", { class: "gap" }));
    parts.push(select(words.range, spec.ranges.map((s) => [s, words.last[s]]), range(), (value) => go(address({ range: value }))));
    parts.push(select(words.refresh, [[0, words.off], ...spec.every.map((s) => [s, `${s} s`])], every(), (value) => go(address({ every: value }), { anew: false })));
    parts.push(element("span", { class: "grafana" }));
    bar.replaceChildren(...parts);
    grafana(board);
  }

  function grafana(board) {
    const place = bar.querySelector(".grafana");
    if (!place) return;
    const href = spec.grafana ? `http://${location.hostname}:${spec.grafana}/d/ipclab-${board.name}` : null;
    place.replaceChildren(...(href && panels.hasGrafana ? [element("a", { href, target: "_blank", rel: "noopener", title: board.marks.length ? words.elsewhere : null }, words.in_grafana)] : []));
  }

  panels.onAnswer = (answer) => {
    const changed = JSON.stringify(answer.variables) !== JSON.stringify(spec.offered);
    spec.offered = answer.variables;
    if (panels.hasGrafana !== answer.grafana) {
      panels.hasGrafana = answer.grafana;
      grafana(current());
    }
    if (changed && current().variables.some((v) => !v.options.length) && !bar.contains(document.activeElement)) choicesBar(current());
  };

  function show() {
    const board = current();
    document.title = `${board.title} · IPC Lab`;
    tabs.replaceChildren(...spec.boards.map((other) => {
      const href = address({ board: other.name });
      return element("a", { href, "aria-current": other === board ? "page" : null, onclick: (event) => follow(event, `?board=${other.name}`) }, other.title);
    }));
    choicesBar(board);
    grid.replaceChildren(...panels.show(board.panels, { marksOf: board.marks.length ? board.name : null }));
    window.scrollTo(0, 0);
  }

  window.addEventListener("popstate", show);
  show();
  return () => {
    window.removeEventListener("popstate", show);
    panels.close();
  };
}
