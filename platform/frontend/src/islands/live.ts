/**
 * <lc-live src="/api/v1/…" every="5">… <b data-live="power_w">118 W</b> …</lc-live>
 *
 * Replaces the text of every [data-live=key] by the value of that key of the JSON document ("a.b" goes down); the server
 * formats, a number as it comes is written by the page's language. With stream="…" the same document comes as events.
 * Text changes in place, never the order. After a minute of silence [data-live-heard] says so and `stale` is set.
 */
import { digits, number } from "../dom";
import { word } from "../words";

const STALE_MS = 60_000;

function at(document_: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], document_);
}

class Live extends HTMLElement {
  #timer = 0;
  #stream: EventSource | null = null;
  #heard = Date.now();

  connectedCallback(): void {
    const stream = this.getAttribute("stream");
    if (stream) {
      this.#stream = new EventSource(stream);
      this.#stream.addEventListener("message", (event: MessageEvent<string>) => this.#take(JSON.parse(event.data)));
    }
    const every = Math.max(Number(this.getAttribute("every") ?? "5"), 1) * 1000;
    this.#timer = window.setInterval(() => void this.#ask(), every);
    void this.#ask();
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
    this.#stream?.close();
  }

  async #ask(): Promise<void> {
    const src = this.getAttribute("src");
    if (src && !document.hidden) {
      try {
        const answer = await fetch(src, { headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (answer.ok) this.#take(await answer.json());
      } catch {
        // silence is shown below
      }
    }
    const silent = Date.now() - this.#heard > STALE_MS;
    this.toggleAttribute("stale", silent);
    this.setAttribute("data-ready", "");
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
  }
}

customElements.define("lc-live", Live);
