/** Short messages that came with the page or from script; they can be closed, and an error stays until it is. */

const STAY_MS = 8000;

function watch(toast: HTMLElement): void {
  toast.querySelector("[data-dismiss]")?.addEventListener("click", () => toast.remove());
  if (toast.classList.contains("bad") || toast.querySelector("a")) return;
  let timer = window.setTimeout(() => toast.remove(), STAY_MS);
  toast.addEventListener("pointerenter", () => window.clearTimeout(timer));
  toast.addEventListener("pointerleave", () => {
    timer = window.setTimeout(() => toast.remove(), STAY_MS);
  });
}

/** Show a sentence at the foot of the page. */
export function say(sentence: string, bad = false): void {
  const shape = document.querySelector<HTMLTemplateElement>("template#toast");
  const toasts = document.querySelector(".toasts");
  const toast = shape?.content.firstElementChild?.cloneNode(true);
  if (!toasts || !(toast instanceof HTMLElement)) return;
  toast.classList.toggle("bad", bad);
  toast.querySelector("span")!.textContent = sentence;
  toasts.append(toast);
  watch(toast);
}

export function startToasts(): void {
  document.querySelectorAll<HTMLElement>(".toasts .toast").forEach(watch);
  document.addEventListener("htmx:responseError", () => say(document.body.dataset["trouble"] ?? "", true));
  document.addEventListener("htmx:sendError", () => say(document.body.dataset["offline"] ?? "", true));
  // allauth's passkey scripts tell of a refusal by this event; without an answer it would only reach the console.
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    say(document.body.dataset["passkey"] ?? "", true);
  });
}
