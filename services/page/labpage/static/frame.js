// What every view has: the one stream of numbers, the line that says what is wrong, and the rotation of ?kiosk.
import { TimeOffset } from "/assets/time_offset.js";

const { text, next, stay, language } = window.lab;
const SILENT_MS = 4000; // the stream sends once a second
const listeners = new Set();
let last = null;
let heardAt = Date.now();
const timeOffset = new TimeOffset();

export function listen(listener) {
  listeners.add(listener);
  if (last) listener(last);
  return () => listeners.delete(listener);
}

function say(words) {
  const line = document.getElementById("trouble");
  if (line && line.textContent !== words) line.textContent = words;
}

// What makes the numbers old or absent comes first; else what makes graphs end at the wrong moment.
function inWords({ trouble, reason }, ahead) {
  if (trouble) return text[trouble].replace("{reason}", reason ?? "");
  if (!ahead) return "";
  return text[ahead > 0 ? "clock_ahead" : "clock_behind"].replace("{seconds}", Math.abs(ahead).toLocaleString(language));
}

const stream = new EventSource("/live");
stream.onmessage = (event) => {
  heardAt = Date.now();
  last = JSON.parse(event.data);
  say(inWords(last, timeOffset.add(last.at, heardAt / 1000)));
  for (const listener of listeners) listener(last);
};
// EventSource comes back by itself after an interruption; after an error status it does not.
setInterval(() => {
  if (Date.now() - heardAt < SILENT_MS) return;
  say(text.page_away);
  for (const listener of listeners) listener({ trouble: "page_away" });
  if (stream.readyState === EventSource.CLOSED) window.lab.loadAgain();
}, 1000);

// A choice in the address is remembered for addresses without one.
const asked = new URLSearchParams(location.search);
for (const choice of ["lang", "theme"]) {
  const value = asked.get(choice);
  if (/^[a-z]{2,5}$/.test(value ?? "")) document.cookie = `${choice}=${value}; path=/; max-age=31536000; samesite=strict`;
}

if (next) setTimeout(() => window.lab.loadAgain(next), stay * 1000);
