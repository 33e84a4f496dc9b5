/**
 * <lc-layers count layer address heights><div class="stage"><img></div><form class="layer-bar">…</form></lc-layers>
 *
 * The layers of a program with a slider. Without script the form and its links load the page with another layer.
 * `address` is that of a layer 0, which there is not; its number is replaced.
 */
import { el } from "../dom";
import { word } from "../words";

class Layers extends HTMLElement {
  #slider: HTMLInputElement | null = null;

  connectedCallback(): void {
    if (this.#slider) return;
    const count = Number(this.getAttribute("count"));
    const now = Number(this.getAttribute("layer"));
    const bar = this.querySelector<HTMLFormElement>(".layer-bar");
    const field = bar?.querySelector<HTMLInputElement>("input[name=layer]");
    if (!bar || !field || !(count > 1)) return;
    this.#slider = el("input", { type: "range", min: "1", max: String(count), value: String(now || Math.ceil(count / 2)) });
    this.#slider.setAttribute("aria-label", word("Layer"));
    this.#slider.addEventListener("input", () => this.#show(Number(this.#slider!.value)));
    field.addEventListener("input", () => {
      const asked = Number(field.value);
      if (Number.isInteger(asked) && asked >= 1 && asked <= count) this.#show(asked);
    });
    for (const link of bar.querySelectorAll<HTMLAnchorElement>("a[data-step]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        const asked = Number(this.#slider!.value) + Number(link.dataset["step"]);
        this.#show(Math.min(count, Math.max(1, asked)));
      });
    }
    bar.querySelector("button")?.remove();
    bar.addEventListener("submit", (event) => event.preventDefault());
    bar.querySelector("output")!.after(this.#slider);
    this.#slider.style.setProperty("--p", `${(100 * (Number(this.#slider.value) - 1)) / (count - 1)}%`);
    this.setAttribute("data-ready", "");
  }

  #show(number: number): void {
    const count = Number(this.getAttribute("count"));
    const stage = this.querySelector<HTMLElement>(".stage")!;
    const image = stage.querySelector("img")!;
    const words = word("Layer {n} of {all}, seen from above", { n: number, all: count });
    for (const gone of ["srcset", "sizes", "width", "height"]) image.removeAttribute(gone);
    stage.classList.add("layer");
    image.src = this.getAttribute("address")!.replace(".layer-0.", `.layer-${number}.`);
    image.alt = words;
    const heights = (this.getAttribute("heights") ?? "").split(",");
    const height = heights.length === count ? heights[number - 1] : undefined;
    const bar = this.querySelector<HTMLFormElement>(".layer-bar")!;
    bar.querySelector<HTMLInputElement>("input[name=layer]")!.value = String(number);
    bar.querySelector("output")!.textContent =
      height === undefined ? word("of {all}", { all: count }) : word("of {all}, at {mm} mm", { all: count, mm: height });
    this.#slider!.value = String(number);
    this.#slider!.setAttribute("aria-valuetext", words);
    this.#slider!.style.setProperty("--p", `${(100 * (number - 1)) / (count - 1)}%`);
    const address = new URL(location.href);
    address.searchParams.set("layer", String(number));
    history.replaceState(null, "", address);
  }
}

customElements.define("lc-layers", Layers);
