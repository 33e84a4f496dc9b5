/**
 * <lc-live stream="/api/v1/live/lab/…/?lang=fi" src="/labs/…/live/" every="15">… <b data-live="laser.watts">118 W</b> …</lc-live>
 *
 * Replaces the text of every [data-live=key] by the value of that key of the document ("a.b" goes down); the server
 * formats, a number as it comes is written by the page's language. [data-live-d=key] gets its path (of an SVG line).
 * The document comes as events, at first whole and then what has changed; where no stream comes, `src` is asked.
 * Each document also goes out as the event `lc:news`, for charts inside. Text changes in place, never the order. After
 * a minute of silence [data-live-heard] says so and `stale` is set.
 */
import { digits, number } from "../dom";
import { word } from "../words";

const STALE_MS = 60_000;
const QUIET_MS = 25_000; // a stream says at least every ten seconds that it is there

function at(document_: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], document_);
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
    this.dispatchEvent(new CustomEvent("lc:news", { detail: news }));
  }
}

customElements.define("lc-live", Live);
