/**
 * <lc-idle after="60" touch="/labs/…/kiosk/touch/"><form method="post">…<button name="do" value="out">I am finished</button></form></lc-idle>
 *
 * A screen that is everybody's: when nobody has touched it or typed for so many seconds, its form is sent, or its link is
 * followed once the city answers there. Whoever types keeps the page, and `touch` hears of them every few seconds.
 */
const TOUCH_MS = 5_000;
const AGAIN_MS = 10_000;
const SIGNS = ["pointerdown", "keydown", "input"] as const;

class Idle extends HTMLElement {
  #timer = 0;
  #told = Date.now();
  readonly #here = (): void => {
    this.#wait(this.#afterMs);
    if (Date.now() - this.#told > TOUCH_MS) this.#touch();
  };

  get #afterMs(): number {
    return Math.max(Number(this.getAttribute("after") ?? "60"), 5) * 1000;
  }

  connectedCallback(): void {
    for (const sign of SIGNS) document.addEventListener(sign, this.#here, { passive: true });
    this.#wait(this.#afterMs);
    this.setAttribute("data-ready", "");
  }

  disconnectedCallback(): void {
    for (const sign of SIGNS) document.removeEventListener(sign, this.#here);
    window.clearTimeout(this.#timer);
  }

  #wait(ms: number): void {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#leave(), ms);
  }

  #touch(): void {
    const [touch, form] = [this.getAttribute("touch"), this.querySelector("form")];
    if (touch === null || form === null) return;
    this.#told = Date.now();
    void fetch(touch, { method: "POST", body: new FormData(form), credentials: "same-origin" }).catch(() => undefined);
  }

  async #leave(): Promise<void> {
    const form = this.querySelector("form");
    if (form !== null) {
      form.requestSubmit(form.querySelector("button"));
      return;
    }
    const address = this.querySelector("a")?.href ?? location.href;
    try {
      if ((await fetch(address, { method: "HEAD", credentials: "same-origin" })).ok) {
        location.replace(address);
        return;
      }
    } catch {
      // no network: what stands there stays, better than a browser's page of regret
    }
    this.#wait(AGAIN_MS);
  }
}

customElements.define("lc-idle", Idle);

export {};
