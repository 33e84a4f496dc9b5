/**
 * <lc-live stream="/api/v1/live/lab/…/?lang=fi" src="/labs/…/live/" every="15">… <b data-live="laser.watts">118 W</b> …</lc-live>
 *
 * Replaces the text of every [data-live=key] by the value of that key of the document ("a.b" goes down); the server
 * formats, a number as it comes is written by the page's language. [data-live-d=key] gets its path (of an SVG line).
 * [data-live-tone=key] is a chip of that kind, [data-live-bar=key] a bar of so many per cent. [data-live-part=key] is drawn
 * anew by the server, as its reader may see it, when the value is no longer its [data-sign]: from the element with its id
 * at the address [data-part].
 * The document comes as events, at first whole and then what has changed; where no stream comes, `src` is asked.
 * Each document also goes out as the event `lc:news`, for charts inside. Text changes in place, never the order. After
 * a minute of silence [data-live-heard] says so and `stale` is set.
 */
import { digits, number } from "../dom";
import { word } from "../words";

const STALE_MS = 60_000;
const SPREAD_MS = 400; // not all who look ask in the same moment
const AGAIN_MS = 5_000;
const QUIET_MS = 25_000; // a stream says at least every ten seconds that it is there

function at(document_: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], document_);
}

/** A bar of so many per cent, and how a reader hears of it. */
function fill(bar: HTMLElement, percent: number): void {
  if (bar.hasAttribute("aria-valuenow")) bar.setAttribute("aria-valuenow", String(percent));
  for (const part of bar.querySelectorAll("i")) part.className = part.className.replace(/\bw-\d+\b/, `w-${percent}`);
}

/** These parts of the page as the server draws them now; the focus stays where it is, and what is being typed in waits. */
async function redraw(address: string, places: HTMLElement[], tries = 5): Promise<void> {
  let left = places;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      left = places.filter((place) => place.isConnected && !swapped(place, fresh.getElementById(place.id)));
    }
  } catch {
    // asked again below
  }
  if (left.length > 0 && tries > 1) window.setTimeout(() => void redraw(address, left, tries - 1), AGAIN_MS);
}

function changed(select: HTMLSelectElement): boolean {
  return Array.from(select.options).some((option) => option.selected !== option.defaultSelected);
}

function swapped(place: HTMLElement, drawn: HTMLElement | null): boolean {
  if (drawn === null) return true; // it is no longer there
  const active = document.activeElement;
  const inside = active !== null && place.contains(active);
  if (inside && active.matches("input, textarea, select")) return false;
  if (Array.from(place.querySelectorAll<HTMLSelectElement>("select")).some(changed)) return false;
  const held = inside ? active.getAttribute("href") : null;
  place.replaceChildren(...drawn.childNodes);
  if (drawn.dataset["sign"]) place.dataset["sign"] = drawn.dataset["sign"];
  if (held) place.querySelector<HTMLElement>(`a[href="${CSS.escape(held)}"]`)?.focus();
  return true;
}

class Live extends HTMLElement {
  #timer = 0;
  #stream: EventSource | null = null;
  #heard = Date.now();
  #streamed = 0;
  readonly #seen = (): void => this.#listen();

  connectedCallback(): void {
    const every = Math.max(Number(this.getAttribute("every") ?? "5"), 1) * 1000;
    this.#timer = window.setInterval(() => void this.#ask(), every);
    document.addEventListener("visibilitychange", this.#seen);
    this.#listen();
    if (this.#stream === null) void this.#ask();
    this.setAttribute("data-ready", "");
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
    document.removeEventListener("visibilitychange", this.#seen);
    this.#stream?.close();
    this.#stream = null;
  }

  /** A page that nobody sees costs the city nothing; seen again, it hears the whole document first. */
  #listen(): void {
    const address = this.getAttribute("stream");
    if (document.hidden || !address || typeof EventSource === "undefined") {
      this.#stream?.close();
      this.#stream = null;
      return;
    }
    if (this.#stream !== null && this.#stream.readyState !== EventSource.CLOSED) return;
    this.#streamed = Date.now();
    this.#stream = new EventSource(address);
    this.#stream.addEventListener("message", (event: MessageEvent<string>) => {
      this.#streamed = Date.now();
      this.#take(JSON.parse(event.data));
    });
  }

  async #ask(): Promise<void> {
    const src = this.getAttribute("src");
    this.#listen();
    const flows = this.#stream !== null && Date.now() - this.#streamed < QUIET_MS;
    if (src && !flows && !document.hidden) {
      try {
        const answer = await fetch(src, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (answer.ok) this.#take(await answer.json());
      } catch {
        // silence is shown below
      }
    }
    const silent = Date.now() - this.#heard > STALE_MS;
    this.toggleAttribute("stale", silent);
    if (silent) for (const place of this.querySelectorAll("[data-live-heard]")) place.textContent = word("No news for a while; these are the last figures known.");
  }

  #take(news: unknown): void {
    this.#heard = Date.now();
    for (const place of this.querySelectorAll<HTMLElement>("[data-live]")) {
      const value = at(news, place.dataset["live"] ?? "");
      if (value === undefined) continue;
      const text = typeof value === "number" ? number(value, digits(value)) : value === null ? "–" : String(value);
      if (place.textContent !== text) place.textContent = text;
    }
    for (const place of this.querySelectorAll<SVGPathElement>("path[data-live-d]")) {
      const line = at(news, place.dataset["liveD"] ?? "");
      if (typeof line === "string" && line) place.setAttribute("d", line);
    }
    for (const place of this.querySelectorAll<HTMLElement>("[data-live-tone]")) {
      const tone = at(news, place.dataset["liveTone"] ?? "");
      if (typeof tone === "string") place.className = `chip ${tone}`;
    }
    for (const place of this.querySelectorAll<HTMLElement>("[data-live-bar]")) {
      const percent = at(news, place.dataset["liveBar"] ?? "");
      if (typeof percent === "number") fill(place, Math.min(Math.max(Math.round(percent), 0), 100));
    }
    const stale = new Map<string, HTMLElement[]>();
    for (const place of this.querySelectorAll<HTMLElement>("[data-live-part]")) {
      const sign = at(news, place.dataset["livePart"] ?? "");
      if (typeof sign !== "string" || sign === place.dataset["sign"]) continue;
      place.dataset["sign"] = sign; // asked for once
      const address = place.dataset["part"] ?? "";
      stale.set(address, [...(stale.get(address) ?? []), place]);
    }
    for (const [address, places] of stale) window.setTimeout(() => void redraw(address, places), Math.random() * SPREAD_MS);
    this.dispatchEvent(new CustomEvent("lc:news", { detail: news }));
  }
}

customElements.define("lc-live", Live);
