// The panel beside a view that says what one thing is. Esc closes it, and the focus goes back to where it was.
export function panel(title, closeWords, fill) {
  document.querySelector("aside.details")?.dispatchEvent(new Event("leave"));
  const opener = document.activeElement;
  const aside = document.createElement("aside");
  aside.className = "details";
  aside.setAttribute("role", "dialog");
  aside.setAttribute("aria-labelledby", "what");
  const head = document.createElement("header");
  const heading = document.createElement("h2");
  heading.id = "what";
  heading.textContent = title;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = closeWords;
  head.append(heading, button);
  const body = document.createElement("div");
  aside.append(head, body);
  document.body.append(aside);
  const whenGone = fill(body);
  const close = (back = true) => {
    if (!aside.isConnected) return;
    whenGone?.();
    aside.remove();
    if (back && opener?.isConnected) opener.focus();
  };
  button.addEventListener("click", () => close());
  aside.addEventListener("leave", () => close(false));
  aside.addEventListener("keydown", (event) => event.key === "Escape" && close());
  button.focus();
  return () => close(false);
}

export function row(list, label, value) {
  for (const [name, words] of [["dt", label], ["dd", value]]) {
    const node = document.createElement(name);
    node.textContent = words;
    list.append(node);
  }
}
