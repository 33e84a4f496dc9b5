/**
 * <lc-district table="/…/map/table/" replay="/api/…/replay/" data-version="3">
 *   {% json_script suns %} in [data-suns]: {month: [[hour, azimuth, elevation], …]}, {% json_script things %} in [data-things]
 *   … <lc-map keeps chooser="off" show="use"> … [data-show] links, [data-kind-form], [data-shade], [data-month], [data-hour],
 *   <lc-live> with [data-thing], [data-replay] with [data-day], [data-play], [data-step]; [data-map-table], [data-map-panel]
 * </lc-district>
 *
 * The page of a district's map: what is chosen beside the map is shown on it without loading the page anew, and stands in
 * the address, so that a link hands it on. What reports comes by `lc-live` and goes onto the map; a stored day is played
 * over it. Without script the links and forms ask the server, and the table answers.
 */
import { address, type CityMap, type Reporting } from "./map";
import type { Sun } from "../map/shadows";
import { el, icon, MISSING, number } from "../dom";
import { word } from "../words";

interface Thing {
  id: string;
  title: string;
  kind: string;
  lon: number | null;
  lat: number | null;
  machines: { id: string; title: string }[];
}

interface Played {
  id: string;
  title: string;
  watts: (number | null)[];
  states: string[] | null;
}

interface Day {
  day: string;
  step_s: number;
  labs: Played[];
  machines: Played[];
  meters: Played[];
}

type Told = Record<string, Record<string, unknown>>;
type SunHour = [number, number, number];

const PLAY_MS = 180;
const POINTS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
const TONES: Record<string, string> = { working: "good", free: "line", unknown: "" };

function clock(hour: number): string {
  return `${String(Math.floor(hour)).padStart(2, "0")}:${String(Math.round((hour % 1) * 60)).padStart(2, "0")}`;
}

function power(watts: number | null): string {
  if (watts === null) return MISSING;
  return watts < 1000 ? `${number(watts)} W` : `${number(watts / 1000, 2)} kW`;
}

/** How far a slider stands, for its track. */
function fill(slider: HTMLInputElement): void {
  const [low, high] = [Number(slider.min), Number(slider.max)];
  slider.style.setProperty("--p", `${((Number(slider.value) - low) / (high - low)) * 100}%`);
}

class CityDistrict extends HTMLElement {
  #suns: Record<string, SunHour[]> = {};
  #things: Thing[] = [];
  #told: Told = {};
  #day: Day | null = null;
  #timer = 0;
  #asked = "";

  connectedCallback(): void {
    this.#suns = this.#json<Record<string, SunHour[]>>("data-suns") ?? {};
    this.#things = this.#json<Thing[]>("data-things") ?? [];
    for (const part of this.querySelectorAll<HTMLElement>("[data-with-script]")) part.hidden = false;
    for (const part of this.querySelectorAll<HTMLElement>("[data-without-script]")) part.hidden = true;
    this.#shows();
    this.#sunSliders();
    this.#table();
    this.#sheet();
    this.#replay();
    void customElements.whenDefined("lc-map").then(() => this.#start());
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
  }

  get #map(): CityMap | null {
    return this.querySelector<CityMap>("lc-map");
  }

  #json<T>(mark: string): T | null {
    const block = this.querySelector(`[${mark}] script`);
    return block?.textContent ? (JSON.parse(block.textContent) as T) : null;
  }

  #one<T extends HTMLElement>(mark: string): T | null {
    return this.querySelector<T>(`[${mark}]`);
  }

  #start(): void {
    const placed = this.#things.filter((thing): thing is Thing & { lon: number; lat: number } => thing.lon !== null && thing.lat !== null);
    const reporting: Reporting[] = placed.map(({ id, title, lon, lat, machines }) => ({ id, title, lon, lat, parts: machines.map((machine) => machine.id) }));
    this.addEventListener("lc:marked", () => this.#now());
    this.addEventListener("lc:thing", (event) => this.#openThing((event as CustomEvent<{ id: string }>).detail.id));
    this.querySelector("lc-live")?.addEventListener("lc:news", (event) => {
      for (const [key, words] of Object.entries((event as CustomEvent<Told>).detail)) this.#told[key] = { ...this.#told[key], ...words };
      if (!this.#day) this.#now();
    });
    this.#map?.things(reporting);
    this.#sun();
    this.setAttribute("data-ready", "");
  }

  // --- what is shown --------------------------------------------------------------------------------------------------
  #shows(): void {
    for (const link of this.querySelectorAll<HTMLAnchorElement>("[data-show]")) {
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.#show(link.dataset["show"] ?? "use");
      });
    }
    this.querySelector<HTMLSelectElement>("[data-kind-form] select")?.addEventListener("change", () => this.#show("access"));
  }

  #show(show: string): void {
    const form = this.#one<HTMLFormElement>("data-kind-form");
    const kind = show === "access" ? (form?.querySelector("select")?.value ?? "") : "";
    for (const link of this.querySelectorAll<HTMLElement>("[data-show]")) {
      if (link.dataset["show"] === show) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    if (form) form.hidden = show !== "access";
    this.#map?.choose(kind ? `access-${kind}` : show);
    address({ show, kind, page: null });
    void this.#redraw();
  }

  // --- the table ------------------------------------------------------------------------------------------------------
  #table(): void {
    const host = this.#one("data-map-table");
    host?.addEventListener("submit", (event) => {
      event.preventDefault();
      const query = (event.target as HTMLFormElement).querySelector<HTMLInputElement>("[name=q]")?.value ?? "";
      address({ q: query.trim(), page: null });
      void this.#redraw().then(() => host.querySelector<HTMLElement>("[name=q]")?.focus());
    });
    host?.addEventListener("click", (event) => {
      const link = (event.target as HTMLElement).closest<HTMLAnchorElement>(".pager a");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      address({ page: new URL(link.href).searchParams.get("page") });
      void this.#redraw().then(() => host.scrollIntoView({ block: "start" }));
    });
  }

  async #redraw(): Promise<void> {
    const host = this.#one("data-map-table");
    if (!host) return;
    const asked = new URLSearchParams(location.search).toString();
    this.#asked = asked;
    const answer = await fetch(`${this.getAttribute("table")}?${asked}`, { credentials: "same-origin" }).catch(() => null);
    const table = answer?.ok ? await answer.text() : null;
    if (table === null || this.#asked !== asked) return; // an older answer may come later
    const field = (): HTMLInputElement | null => host.querySelector<HTMLInputElement>("[name=q]");
    const [typed, was, here] = [field()?.value, new URLSearchParams(asked).get("q") ?? "", document.activeElement === field()];
    host.innerHTML = table;
    const box = field();
    if (!box) return;
    if (typed !== undefined && typed.trim() !== was) box.value = typed; // written while the answer was on its way
    if (here) box.focus();
  }

  // --- the panel, on a phone a sheet at the foot ------------------------------------------------------------------------
  #sheet(): void {
    const panel = this.#one("data-map-panel");
    if (!panel) return;
    this.addEventListener("lc:told", () => {
      const close = el("button", { type: "button", class: "tool map-sheet-close", "aria-label": word("Close"), title: word("Close") }, icon("close"));
      close.addEventListener("click", () => this.#fold());
      panel.prepend(close);
      panel.setAttribute("data-open", "");
    });
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && panel.hasAttribute("data-open")) this.#fold();
    });
  }

  #fold(): void {
    const panel = this.#one("data-map-panel");
    panel?.removeAttribute("data-open");
    panel?.replaceChildren(el("p", { class: "small muted" }, word("Choose a building, a street or a service on the map.")));
    this.#map?.release();
  }

  // --- the sun --------------------------------------------------------------------------------------------------------
  #sunSliders(): void {
    const asked = new URLSearchParams(location.search);
    const hour = this.#one<HTMLInputElement>("data-hour");
    if (hour && asked.has("hour")) hour.value = asked.get("hour") ?? "12";
    for (const name of ["data-month", "data-hour"]) {
      const slider = this.#one<HTMLInputElement>(name);
      slider?.addEventListener("input", () => this.#sun());
      slider?.addEventListener("change", () => this.#keepSun());
    }
    this.#one<HTMLInputElement>("data-shade")?.addEventListener("change", () => {
      this.#sun();
      this.#keepSun();
    });
  }

  #keepSun(): void {
    const on = this.#one<HTMLInputElement>("data-shade")?.checked === true;
    const value = (name: string): string | null => (on ? (this.#one<HTMLInputElement>(name)?.value ?? null) : null);
    address({ month: value("data-month"), hour: value("data-hour") });
  }

  /** The sun as the sliders stand, said and cast. */
  #sun(): void {
    const [month, hour] = [this.#one<HTMLInputElement>("data-month"), this.#one<HTMLInputElement>("data-hour")];
    const on = this.#one<HTMLInputElement>("data-shade")?.checked === true;
    const box = this.#one("data-sun");
    if (box) box.hidden = !on;
    if (!month || !hour) return;
    fill(month);
    fill(hour);
    const at = this.#sunAt(Number(month.value), Number(hour.value));
    const name = month.list?.options[Number(month.value) - 1]?.label ?? month.value;
    const put = (mark: string, text: string): void => {
      const place = this.#one(mark);
      if (place) place.textContent = text;
    };
    put("data-month-said", name);
    put("data-hour-said", clock(Number(hour.value)));
    month.setAttribute("aria-valuetext", name);
    hour.setAttribute("aria-valuetext", clock(Number(hour.value)));
    put("data-sun-said", at ? word("The sun stands {n}° high in the {where}.", { n: number(at.elevation), where: word(POINTS[Math.round(at.azimuth / 45) % 8]!) }) : word("The sun is down."));
    this.#map?.shade(on ? at : null);
  }

  /** Between two half hours the sun moves evenly enough. */
  #sunAt(month: number, hour: number): Sun | null {
    const day = this.#suns[String(month)] ?? [];
    const after = day.findIndex(([at]) => at >= hour);
    if (after < 0) return null;
    const next = day[after]!;
    const last = day[after - 1];
    if (next[0] === hour) return { azimuth: next[1], elevation: next[2] };
    if (!last || next[0] - hour > 0.5) return null;
    const share = (hour - last[0]) / (next[0] - last[0]);
    const turn = ((next[1] - last[1] + 540) % 360) - 180;
    return { azimuth: (last[1] + share * turn + 360) % 360, elevation: last[2] + share * (next[2] - last[2]) };
  }

  // --- what reports, now and on a day -----------------------------------------------------------------------------------
  #now(): void {
    for (const thing of this.#things) {
      const tones = thing.machines.map((machine): [string, string] => [machine.id, String(this.#told[machine.id]?.["tone"] ?? "")]);
      this.#map?.told(thing.id, String(this.#told[thing.id]?.["watts"] ?? ""), Object.fromEntries(tones));
    }
  }

  #openThing(id: string): void {
    const place = this.querySelector<HTMLElement>(`[data-thing="${CSS.escape(id)}"]`);
    if (place instanceof HTMLDetailsElement) place.open = true;
    place?.scrollIntoView({ block: "nearest" });
    (place?.querySelector<HTMLElement>("summary, a") ?? place)?.focus();
  }

  #replay(): void {
    const slider = this.#one<HTMLInputElement>("data-step");
    const asked = new URLSearchParams(location.search);
    slider?.addEventListener("input", () => this.#step(Number(slider.value)));
    slider?.addEventListener("change", () => address({ step: slider.value }));
    this.#one("data-play")?.addEventListener("click", () => void this.#play());
    this.#one<HTMLInputElement>("data-day")?.addEventListener("change", () => {
      this.#stop();
      this.#day = null;
      void this.#open();
    });
    if (asked.has("day")) void this.#open(Number(asked.get("step") ?? 48));
  }

  /** Fetch the day that is chosen and stand at a step of it. */
  async #open(step = 0): Promise<boolean> {
    const day = this.#one<HTMLInputElement>("data-day")?.value ?? "";
    const said = this.#one("data-replay-said");
    const answer = await fetch(`${this.getAttribute("replay")}?day=${encodeURIComponent(day)}`, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) {
      if (said) said.textContent = word("This day could not be read.");
      return false;
    }
    this.#day = (await answer.json()) as Day;
    address({ day, step: String(step) });
    const place = this.#one("data-replay-slide");
    if (place) place.hidden = false;
    const slider = this.#one<HTMLInputElement>("data-step");
    if (slider) slider.value = String(step);
    this.#step(step);
    return true;
  }

  async #play(): Promise<void> {
    if (this.#timer) return this.#stop();
    const slider = this.#one<HTMLInputElement>("data-step");
    if (!slider || (!this.#day && !(await this.#open()))) return;
    if (Number(slider.value) >= Number(slider.max)) slider.value = "0";
    this.#one("data-play")?.setAttribute("aria-pressed", "true");
    this.#timer = window.setInterval(() => {
      if (Number(slider.value) >= Number(slider.max)) return this.#stop();
      slider.value = String(Number(slider.value) + 1);
      this.#step(Number(slider.value));
    }, PLAY_MS);
  }

  #stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = 0;
    this.#one("data-play")?.setAttribute("aria-pressed", "false");
  }

  /** The map as it was at a step of the day. */
  #step(step: number): void {
    const day = this.#day;
    const slider = this.#one<HTMLInputElement>("data-step");
    if (!day || !slider) return;
    fill(slider);
    const hour = (step * day.step_s) / 3600;
    slider.setAttribute("aria-valuetext", clock(hour));
    const said = this.#one("data-step-said");
    if (said) said.textContent = clock(hour);
    const tones = Object.fromEntries(day.machines.map((machine) => [machine.id, TONES[machine.states?.[step] ?? ""] ?? ""]));
    let sum: number | null = null;
    for (const played of [...day.labs, ...day.meters]) this.#map?.told(played.id, power(played.watts[step] ?? null), tones);
    for (const lab of day.labs) sum = lab.watts[step] == null ? sum : (sum ?? 0) + lab.watts[step];
    const working = day.machines.filter((machine) => machine.states?.[step] === "working").length;
    const words = this.#one("data-replay-said");
    if (!words) return;
    words.textContent = sum === null && working === 0
      ? word("{day}, {time}: nothing was stored for this moment.", { day: day.day, time: clock(hour) })
      : word("{day}, {time}: the labs drew {power}, {n} machines at work.", { day: day.day, time: clock(hour), power: power(sum), n: working });
    this.#month(day.day, hour);
  }

  /** Where shadows are shown, they follow the day that is played. */
  #month(day: string, hour: number): void {
    if (this.#one<HTMLInputElement>("data-shade")?.checked !== true) return;
    const [month, slider] = [this.#one<HTMLInputElement>("data-month"), this.#one<HTMLInputElement>("data-hour")];
    if (!month || !slider) return;
    month.value = String(Number(day.slice(5, 7)));
    slider.value = String(Math.round(hour * 2) / 2);
    this.#sun();
  }
}

customElements.define("lc-district", CityDistrict);
