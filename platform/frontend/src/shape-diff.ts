/**
 * The ways to look at a difference of two shapes in one model: its layers over each other, both versions side by side,
 * or one under the other with a border to drag. One file holds them all: before is what is the same and what was taken
 * away, after is what is the same and what is new (or two surfaces in bands of distance, where no volume is known).
 */
import { el, toggle, tool } from "./dom";
import { word } from "./words";

export type View = "overlay" | "side" | "swipe";
export type Side = "before" | "after";
export const VIEWS: readonly string[] = ["overlay", "side", "swipe"];

/** A part of a stage in CSS pixels from its lower left: where the camera looks, and what of it is drawn. */
export interface Pane {
  look: [number, number, number, number];
  cut: [number, number, number, number];
  side: Side | null;
}

/** What a layer is, by the name that the server gave it. */
export interface Layer {
  kind: "same" | "added" | "removed" | Side;
  /** Of a band of distance; 0 is no difference. */
  rank: number;
}

export function layerOf(name: string): Layer | null {
  const found = /^(same|added|removed|before|after)(?:[-_](\d+))?/.exec(name);
  return found ? { kind: found[1] as Layer["kind"], rank: Number(found[2] ?? 0) } : null;
}

const STEP = 2;
const NARROW = 560;

export class DiffViews {
  readonly tools: HTMLDivElement;
  readonly names: HTMLDivElement;
  readonly line: HTMLDivElement;
  readonly slider: HTMLInputElement;
  readonly slide: HTMLDivElement;
  #hidden = new Set<string>();
  #border = 50;

  constructor(
    public view: View,
    private redraw: () => void,
    private seeThrough: (on: boolean) => void,
  ) {
    const layer = (kind: string, words: string): HTMLButtonElement =>
      toggle(words, true, (on) => {
        if (on) this.#hidden.delete(kind);
        else this.#hidden.add(kind);
        this.redraw();
      });
    this.tools = el(
      "div",
      { class: "seg diff-layers", role: "group", "aria-label": word("What is shown") },
      layer("added", word("New")),
      layer("removed", word("Gone")),
      layer("same", word("Unchanged")),
      toggle(word("See through"), false, (on) => this.seeThrough(on)),
    );
    this.names = el("div", { class: "diff-names", "aria-hidden": "true" }, el("span", { class: "chip" }, word("Before")), el("span", { class: "chip" }, word("After")));
    this.line = el("div", { class: "diff-line", "aria-hidden": "true" }, el("i"));
    this.slider = el("input", { type: "range", min: "0", max: "100", value: "50", step: "1", "aria-label": word("Border between before and after") });
    this.slider.addEventListener("input", () => this.#place(Number(this.slider.value)));
    this.slide = el(
      "div",
      { class: "diff-slide" },
      tool("left", word("Only after"), () => this.#place(0)),
      this.slider,
      tool("right", word("Only before"), () => this.#place(100)),
    );
    this.line.addEventListener("pointerdown", (event) => this.#grab(event));
    this.#dress();
  }

  choose(view: View): void {
    this.view = view;
    this.#dress();
  }

  #dress(): void {
    this.tools.hidden = this.view !== "overlay";
    this.names.hidden = this.view === "overlay";
    this.line.hidden = this.slide.hidden = this.view !== "swipe";
    this.#place(this.#border);
  }

  #place(border: number): void {
    this.#border = Math.min(Math.max(border, 0), 100);
    this.slider.value = String(Math.round(this.#border));
    this.slider.style.setProperty("--p", `${this.#border}%`);
    this.line.style.insetInlineStart = `${this.#border}%`;
    this.redraw();
  }

  #grab(event: PointerEvent): void {
    const stage = this.line.parentElement!;
    event.preventDefault();
    this.line.setPointerCapture(event.pointerId);
    const move = (news: PointerEvent): void => {
      const box = stage.getBoundingClientRect();
      this.#place(((news.clientX - box.left) / box.width) * 100);
    };
    const end = (): void => {
      this.line.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) this.line.removeEventListener(name, end);
    };
    this.line.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) this.line.addEventListener(name, end);
  }

  /** A key that moves the border, when it was one. */
  key(event: KeyboardEvent): boolean {
    if (this.view !== "swipe" || !["[", "]"].includes(event.key)) return false;
    this.#place(this.#border + (event.key === "]" ? STEP : -STEP));
    return true;
  }

  stacked(width: number): boolean {
    return width < NARROW;
  }

  panes(width: number, height: number): Pane[] {
    const all: Pane["look"] = [0, 0, width, height];
    if (this.view === "overlay") return [{ look: all, cut: all, side: null }];
    if (this.view === "swipe") {
      const edge = Math.round((width * this.#border) / 100);
      return [
        { look: all, cut: [0, 0, edge, height], side: "before" },
        { look: all, cut: [edge, 0, width - edge, height], side: "after" },
      ];
    }
    const half: [Pane["look"], Pane["look"]] = this.stacked(width)
      ? [[0, height / 2, width, height / 2], [0, 0, width, height / 2]]
      : [[0, 0, width / 2, height], [width / 2, 0, width / 2, height]];
    return [
      { look: half[0], cut: half[0], side: "before" },
      { look: half[1], cut: half[1], side: "after" },
    ];
  }

  /** Whether a layer is seen on a side, or in the overlay (`null`). */
  shows(layer: Layer | null, side: Side | null): boolean {
    if (!layer) return true;
    const { kind, rank } = layer;
    if (side === "before") return kind === "same" || kind === "removed" || kind === "before";
    if (side === "after") return kind === "same" || kind === "added" || kind === "after";
    if (kind === "before") return rank > 0 && !this.#hidden.has("removed");
    if (kind === "after") return !this.#hidden.has(rank > 0 ? "added" : "same");
    return !this.#hidden.has(kind);
  }
}
