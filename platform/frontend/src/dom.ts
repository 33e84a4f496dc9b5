/** Small things that islands share: elements, icons, buttons, colours and numbers of the guide. */

type Child = Node | string | null | undefined;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** A round button with an icon and its words for readers and as a hint. */
export function tool(name: string, words: string, act: () => void): HTMLButtonElement {
  const made = el("button", { type: "button", class: "tool", "aria-label": words, title: words }, icon(name));
  made.addEventListener("click", act);
  return made;
}

/** A button that is on or off. */
export function toggle(words: string, on: boolean, act: (on: boolean) => void): HTMLButtonElement {
  const made = el("button", { type: "button", "aria-pressed": String(on) }, words);
  made.addEventListener("click", () => {
    const now = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", String(now));
    act(now);
  });
  return made;
}

/** One of several views: exactly one is pressed. */
export function segments(name: string, options: [string, string][], now: string, act: (key: string) => void): HTMLDivElement {
  const group = el("div", { class: "seg", role: "group", "aria-label": name });
  for (const [key, words] of options) {
    const button = el("button", { type: "button", "aria-pressed": String(key === now) }, words);
    button.addEventListener("click", () => {
      for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
      act(key);
    });
    group.append(button);
  }
  return group;
}

/** A token of the style sheet as the browser paints it now (tokens are written with light-dark()). */
export function colour(token: string): string {
  const probe = el("span", { hidden: "" });
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const painted = getComputedStyle(probe).color;
  probe.remove();
  return painted;
}

/** The painted colour with another opacity. */
export function faded(painted: string, opacity: number): string {
  const parts = painted.match(/[\d.]+/g);
  return parts && parts.length >= 3 ? `rgb(${parts[0]} ${parts[1]} ${parts[2]} / ${opacity})` : painted;
}

const MINUS = "\u2212";
const THIN = "\u202f";
export const GAP = "\u00a0";
export const MISSING = "–";

/** The page's language for dates and numbers; English is British ("22 Nov"). */
export function language(): string {
  const lang = document.documentElement.lang || "en";
  return lang === "en" ? "en-GB" : lang;
}

/** A number by the page's language, thousands parted by a thin space, with a real minus. */
export function number(value: number | null | undefined, decimals = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  return new Intl.NumberFormat(language(), {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
    .formatToParts(value)
    .map((part) => (part.type === "group" ? THIN : part.type === "minusSign" ? MINUS : part.value))
    .join("");
}

/** Decimals that show three figures at most. */
export function digits(value: number): number {
  const size = Math.abs(value);
  return size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2;
}

export function lengthMm(value: number): string {
  const decimals = value < 1 ? 2 : value < 100 && Math.abs(value - Math.round(value)) > 0.049 ? 1 : 0;
  return number(value, decimals);
}

/** The value of Django's CSRF cookie or of the form field in the page. */
export function csrfToken(): string {
  const field = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]");
  return field?.value ?? /(?:^|; )(?:__Host-csrf|csrftoken)=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}
