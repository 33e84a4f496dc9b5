/**
 * Numbered markers on a model, and pointing at a new spot. Points are millimetres in the file's own coordinates. Each
 * marker is a button of its own, so that keys and readers reach it; `lc-pin` says which was pressed, `lc-point` where
 * somebody pointed. A form with fields x, y and z (id "say") is filled, and the remark of a pin is scrolled to.
 */
import { el, toggle } from "./dom";
import { word } from "./words";

export interface Pin {
  id?: number;
  number: number;
  point: [number, number, number];
  label?: string;
}

export class Pins {
  readonly layer = el("div", { class: "model-pins" });
  readonly button: HTMLButtonElement;
  pointing = false;
  #marks: { button: HTMLElement; point: [number, number, number] }[] = [];
  #new: HTMLElement | null = null;

  constructor(
    private host: HTMLElement,
    private redraw: () => void,
  ) {
    this.button = toggle(word("Point at a spot"), false, (on) => this.#point(on));
    this.button.hidden = !host.hasAttribute("pinnable");
    this.read();
  }

  read(): void {
    this.layer.replaceChildren();
    this.#marks = [];
    let pins: Pin[] = [];
    try {
      pins = JSON.parse(this.host.getAttribute("pins") || "[]") as Pin[];
    } catch {
      return; // words of the server that we do not know: no markers
    }
    for (const pin of pins) {
      const button = el("button", { type: "button", class: "model-pin", title: pin.label ?? "", "aria-label": `${word("Remark")} ${pin.number}: ${pin.label ?? ""}` }, String(pin.number));
      button.addEventListener("click", () => this.#open(pin));
      this.layer.append(button);
      this.#marks.push({ button, point: pin.point });
    }
  }

  #open(pin: Pin): void {
    this.host.dispatchEvent(new CustomEvent("lc-pin", { bubbles: true, detail: pin }));
    if (pin.id === undefined) return;
    const place = document.getElementById(`remark-${pin.id}`) ?? document.getElementById(`comment-${pin.id}`);
    place?.scrollIntoView({ block: "center" });
    place?.focus?.({ preventScroll: true });
  }

  #point(on: boolean): void {
    this.pointing = on;
    this.host.toggleAttribute("pointing", on);
  }

  /** Somebody pointed there. */
  take(point: [number, number, number]): void {
    const rounded = point.map((value) => Math.round(value * 1000) / 1000) as [number, number, number];
    this.button.setAttribute("aria-pressed", "false");
    this.#point(false);
    this.#new?.remove();
    this.#new = el("span", { class: "model-pin new", "aria-hidden": "true" }, "+");
    this.layer.append(this.#new);
    this.#marks = [...this.#marks.filter(({ button }) => button.isConnected), { button: this.#new, point: rounded }];
    this.host.dispatchEvent(new CustomEvent("lc-point", { bubbles: true, detail: { point: rounded, path: this.host.getAttribute("path") } }));
    this.#fill(rounded);
    this.redraw();
  }

  #fill(point: number[]): void {
    const form = document.querySelector<HTMLFormElement>("form#say");
    if (!form) return;
    const write = (name: string, value: string): void => {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value;
    };
    ["x", "y", "z"].forEach((name, at) => write(name, String(point[at])));
    write("path", this.host.getAttribute("path") ?? "");
    form.querySelector("details")?.setAttribute("open", "");
    form.scrollIntoView({ block: "center" });
    form.querySelector("textarea")?.focus({ preventScroll: true });
  }

  /** Put the markers where their points are seen; `project` answers shares of the stage from its upper left. */
  place(project: (point: [number, number, number]) => [number, number] | null): void {
    for (const { button, point } of this.#marks) {
      const at = project(point);
      button.hidden = at === null;
      if (!at) continue;
      button.style.left = `${at[0] * 100}%`;
      button.style.top = `${at[1] * 100}%`;
    }
  }
}
