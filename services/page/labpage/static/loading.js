// Did the page come whole? A browser asks once for a script or a style. A change of the machine's network (a container
// starts: net::ERR_NETWORK_CHANGED) or a restart of the server takes it away, and the page would wait for ever.
// The page has this script in line: nothing that it needs can be missing.
(() => {
  const { loading } = window.lab;
  const KEPT = "lab.loads"; // in this tab: the loads in a row that were not whole
  const LONGEST_S = 60;
  const PATIENCE_S = 60; // a busy machine is slow; what comes late still comes
  const ANSWER_MS = 10_000;
  const times = Number(sessionStorage.getItem(KEPT)) || 0;
  let words = "";
  let asking = false;
  let come = -1;
  let still = 0;

  function say() {
    const line = document.getElementById("loading"); // the head is there before the body
    if (!line || !words) return;
    line.textContent = words;
    line.className = "failed";
  }

  // The server answers first: a browser that finds nobody shows a page of its own, and stays there. `to` is another view.
  async function loadAgain(to) {
    if (asking) {
      if (to) setTimeout(loadAgain, 1000, to);
      return;
    }
    asking = true;
    if (!to) window.stop(); // what does not come may hold every connection that the browser makes
    const asked = fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (await asked.then((answer) => answer.ok, () => false)) {
      if (to) return location.assign(to);
      sessionStorage.setItem(KEPT, times + 1);
      return location.reload();
    }
    asking = false;
    if (words) {
      words = loading.away;
      say();
    }
    if (words || to) setTimeout(loadAgain, 1000, to);
  }

  function missing() {
    if (words) return;
    const pause = Math.min(2 ** times, LONGEST_S);
    words = loading.again.replace("{seconds}", pause);
    say();
    setTimeout(loadAgain, pause * 1000);
  }

  // The error of an element does not bubble. A script, link or style has one when a file of it did not come.
  addEventListener("error", ({ target }) => target instanceof Element && target.matches("script, link, style") && missing(), true);

  // NiceGUI imports styles before this script is read. The rules of an import that failed cannot be read.
  function imported({ href, styleSheet }) {
    if (new URL(href, location.href).origin !== location.origin) return true; // an extension of the browser's
    try {
      return styleSheet.cssRules.length > 0;
    } catch {
      return false;
    }
  }

  function whole() {
    const rules = [...document.querySelectorAll("style")].flatMap(({ sheet }) => [...(sheet?.cssRules ?? [])]);
    return rules.filter((rule) => rule instanceof CSSImportRule).every(imported);
  }

  const watch = setInterval(() => {
    if (words) {
      say();
    } else if (document.getElementById("content") && document.readyState === "complete") {
      if (!whole()) return missing();
      sessionStorage.removeItem(KEPT);
      clearInterval(watch);
    } else {
      const now = performance.getEntriesByType("resource").length;
      still = now === come ? still + 1 : 0;
      come = now;
      if (still >= PATIENCE_S * Math.min(2 ** times, 8)) missing();
    }
  }, 1000);

  window.lab.loadAgain = loadAgain;
})();
