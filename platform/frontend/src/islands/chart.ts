/**
 * <lc-chart label="The finding in a sentence" zone="Europe/Helsinki">
 *   {{ chart|json_script }}  (any <script type="application/json"> inside)
 *   <table class="table">the same numbers</table>
 * </lc-chart>
 *
 * {"x": [unix s], "series": [{"label", "unit", "color": token, "values": [number|null], "kind": "line"|"area"|"bar",
 * "dashed"?, "decimals"?}], "now"?: unix s, "stack"?: true, "time"?: false, "x_label"?, "height"?: px}
 *
 * Zero is on the axis; right of `now` is forecast and paler. Arrow keys read the values out. The table inside is what
 * people without script see, and the Table view of everyone else. Sets data-ready when drawn.
 */
import "../styles/island-chart.css";
import uPlot from "uplot";
import { colour, digits, el, faded, GAP, language, MISSING, number, segments } from "../dom";
import { onThemeChange } from "../theme";
import { word } from "../words";

interface Series {
  label: string;
  unit?: string;
  color: string;
  values: (number | null)[];
  kind?: "line" | "area" | "bar";
  dashed?: boolean;
  decimals?: number;
}

interface Data {
  x: number[];
  series: Series[];
  now?: number;
  stack?: boolean;
  time?: boolean;
  /** From where to where the x axis goes; as far as the values when it is not said. */
  span?: [number, number];
  x_label?: string;
  height?: number;
}

const PHONE_PX = 560;

/** Areas and bars pile up, what is above zero and what is below each on its own side; lines stay as they are. */
export function stacked(series: Series[]): (number | null)[][] {
  const above: number[] = [];
  const below: number[] = [];
  return series.map((one) => {
    if ((one.kind ?? "line") === "line") return one.values;
    return one.values.map((value, at) => {
      if (value === null) return null;
      const pile = value < 0 ? below : above;
      pile[at] = (pile[at] ?? 0) + value;
      return pile[at]!;
    });
  });
}

class Chart extends HTMLElement {
  #plot: uPlot | null = null;
  #data: Data | null = null;
  #host: HTMLDivElement | null = null;
  #readout: HTMLParagraphElement | null = null;
  #values: HTMLElement[] = [];
  #stops: (() => void)[] = [];
  #frame: HTMLDivElement | null = null;

  connectedCallback(): void {
    if (this.#frame) return;
    const block = this.querySelector<HTMLScriptElement>('script[type="application/json"]');
    try {
      this.#data = JSON.parse(block?.textContent ?? "") as Data;
      if (this.#data.x.length === 0) throw new Error("no points");
    } catch {
      this.setAttribute("data-failed", "");
      return;
    }
    this.#build();
    this.#draw();
    const sizes = new ResizeObserver(() => this.#resize());
    sizes.observe(this.#host!);
    this.#stops.push(() => sizes.disconnect(), onThemeChange(() => this.#draw()));
  }

  disconnectedCallback(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#plot?.destroy();
    this.#plot = null;
    this.#frame?.remove();
    this.#frame = null;
  }

  #build(): void {
    const table = this.querySelector<HTMLElement>("table, [data-table]");
    const label = this.getAttribute("label") ?? this.getAttribute("aria-label") ?? "";
    this.removeAttribute("aria-label");
    this.#host = el("div", { class: "chart-host", tabindex: "0", role: "img", "aria-label": `${label} ${word("Arrow keys read the values.")}`.trim() });
    this.#host.addEventListener("keydown", (event) => this.#key(event));
    this.#readout = el("p", { class: "vh", role: "status" });
    const head = el("div", { class: "chart-head" }, this.#legend());
    if (table) {
      const details = table.closest<HTMLDetailsElement>("lc-chart details");
      const holder = details ?? table.closest<HTMLElement>("lc-chart .scroll-x") ?? table;
      if (details) details.open = true;
      holder.hidden = true;
      head.append(
        segments(word("View"), [["chart", word("Chart")], ["table", word("Table")]], "chart", (view) => {
          holder.hidden = view !== "table";
          this.#host!.hidden = view === "table";
          if (view === "chart") this.#resize();
        }),
      );
    }
    this.#frame = el("div", { class: "chart-frame" }, head, this.#host, this.#readout);
    this.prepend(this.#frame);
  }

  #legend(): HTMLUListElement {
    this.#values = [];
    const items = this.#data!.series.map((one) => {
      const value = el("b", { class: "tnum" });
      this.#values.push(value);
      const sign = el("i", { class: `c-${one.color}${(one.kind ?? "line") === "line" ? " line" : ""}` });
      return el("li", {}, sign, one.label, value);
    });
    return el("ul", { class: "legend" }, ...items);
  }

  #options(width: number): uPlot.Options {
    const data = this.#data!;
    const phone = width < PHONE_PX;
    const ink = colour("ink-2");
    const line = colour("line");
    const font = `${phone ? 13 : 12.5}px ${getComputedStyle(this).fontFamily}`;
    const units = [...new Set(data.series.map((one) => one.unit).filter(Boolean))];
    const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const zone = this.getAttribute("zone");
    const options: uPlot.Options = {
      width,
      height: data.height ?? (phone ? 230 : 300),
      legend: { show: false },
      padding: [16, 8, 0, 0],
      cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false, setScale: false } },
      scales: { x: { time: data.time !== false, ...(data.span ? { range: data.span } : {}) }, y: { range: (_plot, low, high) => [Math.min(0, low * 1.08), Math.max(0, high * 1.08) || 1] } },
      axes: [
        { ...axis, grid: { show: false }, size: 32, space: phone ? 76 : 64, ...(data.time === false ? {} : { values: this.#clock() }) },
        { ...axis, size: 52, space: phone ? 44 : 36, values: (_plot, ticks) => ticks.map((tick) => number(tick, Math.abs(tick % 1) > 1e-9 ? 1 : 0)) },
      ],
      series: [{}, ...this.#lines(phone)],
      hooks: { draw: [(plot) => this.#overlay(plot, units.join(", "), font)], setCursor: [(plot) => this.#read(plot)] },
    };
    if (zone && data.time !== false) options.tzDate = (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone);
    return options;
  }

  /** Hours as 13:00, and the day's name where a new day begins, unless there is but one. */
  #clock(): (plot: uPlot, ticks: number[], axis: number, space: number, step: number) => string[] {
    const lang = language();
    const zone = this.getAttribute("zone") ?? undefined;
    const hour = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
    const weekday = new Intl.DateTimeFormat(lang, { weekday: "short", day: "numeric", timeZone: zone });
    const date = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: zone });
    const x = this.#data!.x;
    const oneDay = x[x.length - 1]! - x[0]! <= 25 * 3600;
    return (_plot, ticks, _axis, _space, step) =>
      ticks.map((tick) => {
        const moment = new Date(tick * 1000);
        if (step >= 86_400) return date.format(moment);
        const clock = hour.format(moment).replace(".", ":");
        return clock === "00:00" && !oneDay ? weekday.format(moment) : clock;
      });
  }

  #lines(phone: boolean): uPlot.Series[] {
    return this.#order().map(({ one }) => {
      const kind = one.kind ?? "line";
      const fill = colour(one.color);
      const stroke = kind === "line" ? fill : colour(one.color === "load" ? "load" : `${one.color}-ink`);
      const made: uPlot.Series = { label: one.label, stroke, width: kind === "line" ? 2.25 : 1.25, points: { show: false } };
      if (kind !== "line") made.fill = this.#data!.stack ? fill : faded(fill, kind === "bar" ? 0.9 : 0.38);
      if (kind === "bar") made.paths = uPlot.paths.bars!({ size: [0.74, phone ? 24 : 40], radius: 0.12 });
      if (one.dashed) made.dash = [5, 4];
      return made;
    });
  }

  /** Piles are drawn from the top down, so that what lies below is not covered; lines come last. */
  #order(): { one: Series; at: number }[] {
    const all = this.#data!.series.map((one, at) => ({ one, at }));
    if (!this.#data!.stack) return all;
    const piles = all.filter(({ one }) => (one.kind ?? "line") !== "line").reverse();
    return [...piles, ...all.filter(({ one }) => (one.kind ?? "line") === "line")];
  }

  #overlay(plot: uPlot, unit: string, font: string): void {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    const zero = Math.round(plot.valToPos(0, "y", true)) + 0.5;
    ctx.strokeStyle = colour("line-strong");
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(bbox.left, zero);
    ctx.lineTo(bbox.left + bbox.width, zero);
    ctx.stroke();
    ctx.fillStyle = colour("ink-2");
    ctx.font = font.replace(/^[\d.]+/, (size) => String(Number(size) * ratio));
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    ctx.fillText(unit, 4 * ratio, 0);
    const now = this.#data!.now;
    if (now !== undefined) this.#now(plot, now, ctx, ratio);
    ctx.restore();
  }

  #now(plot: uPlot, now: number, ctx: CanvasRenderingContext2D, ratio: number): void {
    const { left, top, width, height } = plot.bbox;
    const x = plot.valToPos(now, "x", true);
    if (x < left || x > left + width) return;
    ctx.fillStyle = faded(colour("surface"), 0.5);
    ctx.fillRect(x, top, left + width - x, height);
    ctx.strokeStyle = colour("ink");
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, top);
    ctx.lineTo(x, top + height);
    ctx.stroke();
    ctx.fillStyle = colour("ink");
    const room = left + width - x > 90 * ratio;
    ctx.textAlign = room ? "left" : "right";
    ctx.fillText(word("now"), x + (room ? 6 : -6) * ratio, top - 14 * ratio);
  }

  #draw(): void {
    const width = this.#host?.clientWidth ?? 0;
    if (!this.#data || width === 0) return;
    this.#plot?.destroy();
    const columns = this.#data.stack ? stacked(this.#data.series) : this.#data.series.map((one) => one.values);
    const ordered = this.#order().map(({ at }) => columns[at]!);
    this.#plot = new uPlot(this.#options(width), [this.#data.x, ...ordered] as uPlot.AlignedData, this.#host!);
    this.setAttribute("data-ready", "");
  }

  #resize(): void {
    const width = this.#host?.clientWidth ?? 0;
    if (width === 0 || width === this.#plot?.width) return;
    this.#draw();
  }

  #read(plot: uPlot): void {
    const at = plot.cursor.idx;
    this.#data!.series.forEach((one, index) => {
      this.#values[index]!.textContent = at === null || at === undefined ? "" : this.#words(one, at);
    });
  }

  #words(one: Series, at: number): string {
    const value = one.values[at];
    if (value === null || value === undefined) return MISSING;
    return `${number(value, one.decimals ?? digits(value))}${one.unit ? GAP + one.unit : ""}`;
  }

  #key(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -24, PageDown: 24, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || !this.#plot || !this.#data) return;
    event.preventDefault();
    const last = this.#data.x.length - 1;
    const at = Math.min(Math.max((this.#plot.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step, 0), last);
    const left = this.#plot.valToPos(this.#data.x[at]!, "x");
    this.#plot.setCursor({ left, top: 10 });
    const moment = this.#data.time === false ? number(this.#data.x[at]!) : this.#moment(this.#data.x[at]!);
    this.#readout!.textContent = `${moment}: ${this.#data.series.map((one) => `${one.label} ${this.#words(one, at)}`).join(", ")}`;
  }

  #moment(seconds: number): string {
    const zone = this.getAttribute("zone") ?? undefined;
    return new Intl.DateTimeFormat(language(), {
      weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone,
    }).format(new Date(seconds * 1000));
  }
}

customElements.define("lc-chart", Chart);
