// The exercises: a list with the progress, and one of them beside its live panels.
import { clock } from "/assets/charts.js";
import { Panels } from "/assets/panels.js";
import { element } from "/assets/plain.js";

const EVERY_MS = 2000;

export function exercises(root, spec, echarts) {
  const words = spec.words;
  const query = () => new URLSearchParams(location.search);
  const chosen = () => spec.exercises.find((one) => one.name === query().get("exercise")) ?? latest() ?? spec.exercises[0];
  let progress = {};
  let pair = null;

  // What was begun last is what a student works on.
  function latest() {
    const begun = spec.exercises.filter((one) => progress[one.name]?.state === "begun");
    return begun.sort((a, b) => progress[b.name].started_at - progress[a.name].started_at)[0];
  }

  const panels = new Panels({
    echarts,
    words,
    language: spec.language,
    choices: () => new URLSearchParams({ range: 300, every: 5, "var-mechanism": pair ?? "" }),
    every: () => 5,
    follow: (event, href) => {
      event.preventDefault();
      location.assign(`/dashboards${href}&lang=${spec.language}`);
    },
  });

  const list = element("nav", { class: "exercise-list", "aria-label": words.list });
  const text = element("article", { class: "exercise-text prose" });
  const live = element("aside", { class: "exercise-live", "aria-label": words.live });
  root.replaceChildren(element("div", { class: "exercise-page" }, list, text, live));
  const said = element("section", { class: "said", "aria-live": "polite" });
  const html = (content) => {
    const made = element("div");
    made.innerHTML = content; // Markdown of the lab's own image
    return made;
  };
  const state = (one) => progress[one.name]?.state ?? "not_begun";

  function showList() {
    const now = chosen();
    const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    list.replaceChildren(...spec.exercises.map((one) => {
      const asked = query();
      asked.set("exercise", one.name);
      const word = words[state(one)];
      return element("a", { href: `?${asked}`, "aria-current": one === now ? "page" : null, title: word, onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        history.pushState(null, "", `?${asked}`);
        show();
      } }, element("span", { class: `state ${state(one)}`, "aria-label": word }, { solved: "✓", begun: "…", not_begun: "" }[state(one)]), `${String(one.number).padStart(2, "0")} ${one.title}`);
    }));
    if (focused) [...list.children].find((a) => a.getAttribute("href") === focused)?.focus();
  }

  function showSaid() {
    const one = chosen();
    const now = progress[one.name];
    const parts = [element("h2", {}, words.progress)];
    if (!now) {
      parts.push(element("p", {}, words.not_begun_yet), element("pre", {}, element("code", {}, `./lab exercise start ${one.number}`)));
    } else {
      const outcome = now.outcome ? words[now.outcome.replaceAll(" ", "_")] : words.no_check_yet;
      parts.push(element("p", { class: `outcome ${now.outcome.replaceAll(" ", "_")}` }, element("b", {}, now.state === "solved" && now.outcome !== "solved" ? `${words.solved}. ${words.last_check}: ${outcome}` : outcome),
        now.checked_at ? ` (${clock(now.checked_at * 1000)})` : ""));
      if (now.saw) parts.push(element("p", { lang: now.language }, element("span", { class: "quiet" }, `${words.saw}: `), now.saw));
      if (now.waits_for) parts.push(element("p", { lang: now.language }, element("span", { class: "quiet" }, `${words.waits_for}: `), now.waits_for));
      parts.push(element("p", { class: "quiet" }, words.counts.replace("{checks}", now.checks).replace("{hints}", now.hints).replace("{of}", one.hints.length)));
      for (const hint of one.hints.slice(0, now.hints)) parts.push(element("div", { class: "hint" }, html(hint)));
      if (now.solution_shown) parts.push(element("p", { class: "quiet" }, words.solution_shown));
      parts.push(element("pre", {}, element("code", {}, `./lab exercise ${now.state === "solved" ? "next" : `check ${one.number}`}`)));
    }
    const written = parts.map((part) => part.outerHTML).join("");
    if (said.innerHTML !== written) said.replaceChildren(...parts);
    const after = text.querySelector("details.after");
    if (after && now?.state === "solved" && !after.dataset.opened) after.open = after.dataset.opened = true;
  }

  function show() {
    const one = chosen();
    text.replaceChildren(
      element("h1", { tabindex: "-1" }, `${String(one.number).padStart(2, "0")} ${one.title}`),
      element("p", { class: "quiet" }, words.facts.replace("{minutes}", one.minutes).replace("{pairs}", one.pairs.join(", "))),
      html(one.goal), html(one.before), element("details", { class: "after" }, element("summary", {}, words.after), html(one.after)));
    pair = one.pairs[0];
    const select = element("select", { onchange: () => { pair = select.value; panels.ask(); } }, ...one.pairs.map((name) => element("option", { value: name }, name)));
    const specs = [...(one.panel ? [one.panel] : []), ...(one.panel?.board === "mechanism" ? [] : [spec.traffic])];
    const nodes = panels.show(specs.map((panel) => ({ ...panel, place: { x: 0, y: 0, width: 24, height: 8 } })));
    for (const node of nodes) node.removeAttribute("style");
    live.replaceChildren(said, ...(one.panel ? [nodes[0]] : []), element("label", { class: "pair" }, element("span", {}, words.pair), select), ...nodes.slice(one.panel ? 1 : 0));
    showList();
    showSaid();
    window.scrollTo(0, 0);
  }

  async function ask() {
    if (document.visibilityState === "visible") {
      try {
        const response = await fetch("/progress");
        if (response.ok) {
          const before = chosen();
          progress = await response.json();
          chosen() === before ? (showList(), showSaid()) : show();
        }
      } catch {
        // The frame's line says that the server does not answer.
      }
    }
    timer = setTimeout(ask, EVERY_MS);
  }

  let timer = null;
  window.addEventListener("popstate", show);
  show();
  ask();
  return () => {
    clearTimeout(timer);
    window.removeEventListener("popstate", show);
    panels.close();
  };
}
