import { listen } from "/assets/frame.js";
export function start(root) {
  return listen((now) => { root.textContent = JSON.stringify(now).slice(0, 3000); });
}
