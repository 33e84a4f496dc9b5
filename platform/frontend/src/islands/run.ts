/**
 * <lc-run src="/api/v1/runs/<id>/events?lang=fi" state="/api/v1/runs/<id>/?lang=fi" stop="/api/v1/runs/<id>/cancel/" status="running"
 *   then="reload">…bar, stage and a hidden Stop form by the server…</lc-run>   ({% progress run %} writes it)
 *
 * Follows the run's event stream; where no stream comes it asks every two seconds. When the run ends, one way
 * or another, the page is loaded anew (then="reload"); when it is done another page is opened (then="/address/"), or an element is filled by htmx
 * (then="#id", which asks its own hx-get on the event `lc:done`).
 */
import { csrfToken, number, GAP } from "../dom";

interface News {
  status?: string;
  progress?: number;
  stage?: string;
  error?: { code: string; detail: string } | null;
}

const POLL_MS = 2000;
const QUIET_MS = 25_000;
const LEAVING_MS = 4000; // a click that is under way is not overtaken by our own reload
const OVER = new Set(["done", "failed", "cancelled"]);

let leftAt = -Infinity;
addEventListener("beforeunload", () => {
  leftAt = performance.now();
});

/** Open another address, or the same one anew; not while the person is on the way elsewhere (a download ends that). */
function go(address: string | null): void {
  const wait = leftAt + LEAVING_MS - performance.now();
  if (wait > 0) window.setTimeout(() => go(address), wait);
  else if (address === null) location.reload();
  else location.assign(address);
}

class RunProgress extends HTMLElement {
  #stream: EventSource | null = null;
  #timer = 0;
  #heard = 0;
  #over = false;

  connectedCallback(): void {
    this.#over = OVER.has(this.getAttribute("status") ?? "");
    this.setAttribute("data-ready", "");
    if (this.#over) return;
    this.#offerStop();
    this.#listen();
    this.#timer = window.setInterval(() => this.#watch(), POLL_MS);
  }

  disconnectedCallback(): void {
    this.#close();
  }

  #close(): void {
    this.#stream?.close();
    this.#stream = null;
    window.clearInterval(this.#timer);
  }

  #listen(): void {
    const src = this.getAttribute("src");
    if (!src || typeof EventSource === "undefined") return;
    this.#stream = new EventSource(src);
    const take = (event: Event): void => {
      this.#heard = Date.now();
      try {
        this.#take(JSON.parse((event as MessageEvent<string>).data) as News);
      } catch {
        // a comment or a keep-alive
      }
    };
    for (const name of ["message", "run", "progress", "status", "end", "done"]) this.#stream.addEventListener(name, take);
    this.#stream.addEventListener("error", () => {
      if (this.#stream?.readyState === EventSource.CLOSED) this.#stream = null;
    });
  }

  /** News may be lost, the row is the truth: without a stream, or when it is silent for long, ask. */
  #watch(): void {
    if (this.#over || document.hidden) return;
    if (this.#stream !== null && Date.now() - this.#heard < QUIET_MS && this.#heard > 0) return;
    const state = this.getAttribute("state");
    if (!state) return;
    fetch(state, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then((answer) => (answer.ok ? (answer.json() as Promise<News>) : Promise.reject(new Error(String(answer.status)))))
      .then((news) => this.#take(news))
      .catch(() => this.#write("stage", this.dataset["quiet"] ?? ""));
  }

  #take(news: News): void {
    if (this.#over) return;
    const status = news.status ?? this.getAttribute("status") ?? "running";
    this.setAttribute("status", status);
    if (typeof news.progress === "number") this.#bar(news.progress);
    const waiting = status === "queued";
    const share = typeof news.progress === "number" ? `${number(Math.round(news.progress * 100))}${GAP}%` : "";
    if (waiting || share) this.#write("percent", waiting ? (this.dataset["queued"] ?? "") : share);
    if (news.stage) this.#write("stage", news.stage);
    if (OVER.has(status)) this.#end(status, news.error?.detail ?? "");
  }

  #bar(share: number): void {
    const percent = Math.round(Math.min(Math.max(share, 0), 1) * 100);
    const bar = this.querySelector<HTMLElement>(".bar");
    bar?.setAttribute("aria-valuenow", String(percent));
    const fill = bar?.querySelector("i");
    if (fill) fill.className = `c-act w-${percent}`;
  }

  #write(part: string, words: string): void {
    const place = this.querySelector(`[data-run="${part}"]`);
    if (place && words) place.textContent = words;
  }

  #end(status: string, error: string): void {
    this.#over = true;
    this.#close();
    if (status === "done") this.#bar(1);
    this.#write("percent", this.dataset[status] ?? status);
    if (error) this.#write("stage", error);
    this.querySelector<HTMLElement>('[data-run="stop"]')?.setAttribute("hidden", "");
    this.dispatchEvent(new CustomEvent("lc:done", { bubbles: true, detail: { status } }));
    const then = this.getAttribute("then") ?? "reload";
    if (then === "stay") return;
    if (then === "reload") go(null);
    else if (status !== "done") return;
    else if (then.startsWith("#")) document.querySelector(then)?.dispatchEvent(new CustomEvent("lc:done", { detail: { status } }));
    else go(then);
  }

  #offerStop(): void {
    const form = this.querySelector<HTMLFormElement>('form[data-run="stop"]');
    const address = this.getAttribute("stop");
    if (!form || !address) return;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = form.querySelector("button");
      if (button) {
        button.disabled = true;
        button.textContent = this.dataset["stopping"] ?? button.textContent;
      }
      void fetch(address, { method: "POST", headers: { "X-CSRFToken": csrfToken() }, credentials: "same-origin" }).finally(() => {
        this.#heard = 0;
        this.#watch();
      });
    });
  }
}

customElements.define("lc-run", RunProgress);
