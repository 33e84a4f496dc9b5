/**
 * <lc-compare view="overlay|side|swipe"><figure><img></figure><figure><img></figure></lc-compare>
 *
 * Two pictures of one thing. Without script they stand side by side; with it one lies on the other, the upper one either
 * as clear as the slider says (overlay) or cut at it (swipe). The links around it with data-view choose without loading.
 */
import { el, tool } from "../dom";
import { word } from "../words";

class Compare extends HTMLElement {
  static observedAttributes = ["view"];
  #slider: HTMLInputElement | null = null;
  #foot: HTMLElement | null = null;

  connectedCallback(): void {
    if (this.#foot) return;
    this.#slider = el("input", { type: "range", min: "0", max: "100", value: "50" });
    this.#slider.addEventListener("input", () => this.#paint());
    this.#foot = el(
      "div",
      { class: "diff-slide" },
      tool("left", word("Only after"), () => this.#set(0)),
      this.#slider,
      tool("right", word("Only before"), () => this.#set(100)),
    );
    this.append(this.#foot);
    for (const link of this.closest(".compare")?.querySelectorAll<HTMLAnchorElement>("a[data-view]") ?? []) {
      link.addEventListener("click", (event) => this.#choose(event, link));
    }
    this.#paint();
    this.setAttribute("data-ready", "");
  }

  attributeChangedCallback(): void {
    if (this.#foot) this.#paint();
  }

  #choose(event: MouseEvent, link: HTMLAnchorElement): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    for (const other of link.parentElement?.children ?? []) other.toggleAttribute("aria-current", false);
    link.setAttribute("aria-current", "true");
    history.replaceState(null, "", link.href);
    this.setAttribute("view", link.dataset["view"]!);
  }

  #set(value: number): void {
    this.#slider!.value = String(value);
    this.#paint();
  }

  #paint(): void {
    const view = this.getAttribute("view") ?? "side";
    const before = this.querySelector<HTMLElement>("figure");
    if (!before) return;
    const share = Number(this.#slider!.value);
    this.#foot!.hidden = view === "side";
    this.#slider!.setAttribute("aria-label", view === "swipe" ? word("Border between before and after") : word("How much of before is seen"));
    this.#slider!.style.setProperty("--p", `${share}%`);
    before.style.opacity = view === "overlay" ? String(share / 100) : "";
    before.style.clipPath = view === "swipe" ? `inset(0 ${100 - share}% 0 0)` : "";
  }
}

customElements.define("lc-compare", Compare);
