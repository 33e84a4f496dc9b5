/**
 * <lc-week api="/api/v1/bookings/" person>… .track[data-machine][data-from][data-quarters] …</lc-week>
 *
 * Books on tracks of time: drag over a free stretch, drag an own bar to move it (also to another day or machine), its
 * ends to resize. Keys on a focused track: arrows move a choice by a quarter of an hour and between tracks, Shift and
 * arrows lengthen it, Enter books, Delete cancels an own booking, Escape lets go. The server decides; its refusal is
 * said, and what it names as next free is chosen. Without script the free stretches are links.
 */
import { csrfToken, el } from "../dom";
import { say } from "../toasts";
import { word } from "../words";

const QUARTER_MS = 15 * 60_000;
const REFRESH_MS = 30_000;
const EDGE_PX = 8;

interface Choice {
  track: HTMLElement;
  first: number;
  last: number;
  moving: string | null;
}

interface Drag {
  track: HTMLElement;
  anchor: number;
  mode: "new" | "move" | "start" | "end";
  first: number;
  last: number;
  x: number;
}

interface Problem {
  title?: string;
  detail?: string;
  next_free?: { start: string; end: string } | null;
}

const quartersOf = (track: HTMLElement): number => Number(track.dataset["quarters"]);
const startOf = (track: HTMLElement): number => Date.parse(track.dataset["from"]!);
const momentOf = (track: HTMLElement, quarter: number): Date => new Date(startOf(track) + quarter * QUARTER_MS);

class Week extends HTMLElement {
  #choice: Choice | null = null;
  #mark: HTMLElement | null = null;
  #foot: HTMLElement | null = null;
  #told: HTMLElement | null = null;
  #drag: Drag | null = null;
  #timer = 0;

  connectedCallback(): void {
    if (this.#told) return;
    this.#told = el("div", { class: "vh", role: "status" });
    this.append(this.#told);
    this.#ready();
    this.addEventListener("pointerdown", (event) => this.#press(event));
    this.addEventListener("pointermove", (event) => this.#pull(event));
    this.addEventListener("pointerup", (event) => this.#drop(event));
    this.addEventListener("pointercancel", () => this.#let());
    this.addEventListener("dragstart", (event) => event.preventDefault()); // a browser would carry the link away
    this.addEventListener("click", (event) => this.#click(event), true);
    this.addEventListener("keydown", (event) => this.#key(event));
    this.#timer = window.setInterval(() => void this.#refresh(), REFRESH_MS);
    this.setAttribute("data-ready", "");
  }

  disconnectedCallback(): void {
    window.clearInterval(this.#timer);
  }

  /** One track can be reached by Tab, the others by the arrows; the links in them are for those without script. */
  #ready(): void {
    const tracks = this.#tracks();
    tracks.forEach((track, nth) => track.setAttribute("tabindex", nth === 0 ? "0" : "-1"));
    for (const link of this.querySelectorAll(".gap")) link.setAttribute("tabindex", "-1");
  }

  #tracks(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>(".track")];
  }

  #quarterAt(track: HTMLElement, x: number): number {
    const box = track.getBoundingClientRect();
    return Math.min(Math.max(((x - box.left) / box.width) * quartersOf(track), 0), quartersOf(track));
  }

  // --- pointer ---------------------------------------------------------------------------------------------------

  #press(event: PointerEvent): void {
    const target = event.target as HTMLElement;
    const track = target.closest<HTMLElement>(".track");
    if (!track || event.button !== 0 || !this.hasAttribute("person") || track.hasAttribute("data-out")) return;
    const bar = target.closest<HTMLElement>("[data-booking]");
    if (!bar && target.closest(".held, .shut")) return;
    const at = this.#quarterAt(track, event.clientX);
    if (bar) {
      const box = bar.getBoundingClientRect();
      const [first, last] = this.#placeOf(bar);
      const mode = event.clientX - box.left < EDGE_PX ? "start" : box.right - event.clientX < EDGE_PX ? "end" : "move";
      this.#drag = { track, anchor: at, mode, first, last, x: event.clientX };
      this.#choose({ track, first, last, moving: bar.dataset["booking"]! }, false);
    } else {
      this.#drag = { track, anchor: Math.floor(at), mode: "new", first: Math.floor(at), last: Math.floor(at) + 4, x: event.clientX };
    }
    track.setPointerCapture(event.pointerId);
  }

  #pull(event: PointerEvent): void {
    const drag = this.#drag;
    if (!drag || (Math.abs(event.clientX - drag.x) < 4 && !this.#choice?.moving && drag.mode === "new")) return;
    if (drag.mode === "move") return this.#carry(event, drag);
    const at = Math.round(this.#quarterAt(drag.track, event.clientX));
    const moving = this.#choice?.moving ?? null;
    if (drag.mode === "new") this.#choose({ track: drag.track, first: Math.min(drag.anchor, at), last: Math.max(drag.anchor + 1, at), moving: null });
    if (drag.mode === "start") this.#choose({ track: drag.track, first: Math.min(at, drag.last - 1), last: drag.last, moving });
    if (drag.mode === "end") this.#choose({ track: drag.track, first: drag.first, last: Math.max(at, drag.first + 1), moving });
  }

  /** An own booking follows the pointer, along its track and to other days of the same machine. */
  #carry(event: PointerEvent, drag: Drag): void {
    const under = document.elementsFromPoint(event.clientX, event.clientY).find((e) => e.classList.contains("track")) as HTMLElement | undefined;
    const track = under && under.dataset["machine"] === drag.track.dataset["machine"] ? under : drag.track;
    const length = drag.last - drag.first;
    const shift = Math.round(this.#quarterAt(track, event.clientX) - drag.anchor);
    const first = Math.min(Math.max(drag.first + shift, 0), Math.max(quartersOf(track) - length, 0));
    this.#choose({ track, first, last: first + length, moving: this.#choice!.moving });
  }

  #drop(event: PointerEvent): void {
    const drag = this.#drag;
    this.#drag = null;
    if (!drag) return;
    const still = Math.abs(event.clientX - drag.x) < 4;
    if (still && drag.mode === "new") {
      const free = this.#freeAround(drag.track, drag.anchor);
      if (free) this.#choose({ track: drag.track, first: drag.anchor, last: Math.min(drag.anchor + 4, free[1]), moving: null });
    }
    if (this.#choice) this.#offer();
  }

  /** A link under a finished drag is not followed; Ctrl and the middle button open it as ever. */
  #click(event: MouseEvent): void {
    const gap = (event.target as HTMLElement).closest(".gap");
    if (gap && this.hasAttribute("person") && !event.ctrlKey && !event.metaKey && !event.shiftKey) event.preventDefault();
  }

  #let(): void {
    this.#choice?.track.focus({ preventScroll: true });
    this.#drag = null;
    this.#choice = null;
    this.#mark?.remove();
    this.#mark = null;
    this.#foot?.remove();
    this.#foot = null;
  }

  // --- what is chosen --------------------------------------------------------------------------------------------

  #placeOf(bar: HTMLElement): [number, number] {
    const style = getComputedStyle(bar);
    const first = Number(style.getPropertyValue("--from"));
    return [first, first + Number(style.getPropertyValue("--len"))];
  }

  #busy(track: HTMLElement, without: string | null): [number, number][] {
    return [...track.querySelectorAll<HTMLElement>(".held, .shut")]
      .filter((bar) => without === null || bar.dataset["booking"] !== without)
      .map((bar) => this.#placeOf(bar));
  }

  #freeAround(track: HTMLElement, quarter: number): [number, number] | null {
    const busy = this.#busy(track, null);
    if (busy.some(([first, last]) => first <= quarter && quarter < last)) return null;
    const before = Math.max(0, ...busy.filter(([, last]) => last <= quarter).map(([, last]) => last));
    const after = Math.min(quartersOf(track), ...busy.filter(([first]) => first > quarter).map(([first]) => first));
    return [before, after];
  }

  #isFree(choice: Choice): boolean {
    return !this.#busy(choice.track, choice.moving).some(([first, last]) => first < choice.last && choice.first < last);
  }

  #choose(choice: Choice, tell = true): void {
    this.#choice = choice;
    this.#mark ??= el("i", { class: "pick" });
    if (this.#mark.parentElement !== choice.track) choice.track.append(this.#mark);
    this.#mark.style.setProperty("--from", String(choice.first));
    this.#mark.style.setProperty("--len", String(choice.last - choice.first));
    this.#mark.classList.toggle("bad", !this.#isFree(choice));
    if (tell) this.#told!.textContent = this.#words(choice);
  }

  /** The lab's own clock at a quarter. */
  #clock(track: HTMLElement, quarter: number): string {
    const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: this.getAttribute("zone") ?? "UTC" });
    return clock.format(momentOf(track, quarter));
  }

  #words(choice: Choice): string {
    const { track, first, last } = choice;
    return word("{machine}, {day}, {start} to {end}", {
      machine: track.dataset["name"]!,
      day: track.dataset["day"]!,
      start: this.#clock(track, first),
      end: this.#clock(track, last),
    });
  }

  /** The bar at the foot: what is chosen, and what can be done with it. */
  #offer(): void {
    const choice = this.#choice!;
    const free = this.#isFree(choice);
    const act = el("button", { type: "button", class: "btn main" }, choice.moving ? word("Move it here") : word("Book it"));
    act.disabled = !free;
    act.addEventListener("click", () => void this.#send());
    const away = el("button", { type: "button", class: "btn" }, word("Let go"));
    away.addEventListener("click", () => this.#let());
    const start = momentOf(choice.track, choice.first).toISOString();
    const minutes = (choice.last - choice.first) * 15;
    const more = choice.moving
      ? el("button", { type: "button", class: "btn bad" }, word("Cancel the booking"))
      : el("a", { class: "btn", href: `${choice.track.dataset["book"]}?start=${encodeURIComponent(start)}&minutes=${minutes}` }, word("With more choices"));
    if (choice.moving) more.addEventListener("click", () => void this.#cancel(choice.moving!));
    const text = el("b", {}, this.#words(choice));
    const why = free ? null : el("span", { class: "muted" }, word("A part of this time is taken or closed."));
    this.#foot?.remove();
    choice.track.focus({ preventScroll: true }); // so that the keys go on from here
    this.#foot = el("div", { class: "pickbar" }, el("div", {}, text, " ", why), el("div", { class: "row tight" }, more, away, act));
    this.append(this.#foot);
  }

  // --- keys ------------------------------------------------------------------------------------------------------

  #key(event: KeyboardEvent): void {
    const track = (event.target as HTMLElement).closest<HTMLElement>(".track");
    if (event.key === "Escape" && this.#choice) {
      this.#let();
      event.preventDefault();
      return;
    }
    if (!track || event.target !== track) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const rows = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step !== undefined) this.#nudge(track, step, event.shiftKey);
    else if (rows !== undefined) this.#go(track, rows);
    else if (event.key === "Enter") this.#enter(track);
    else if (event.key === "Delete") this.#cancelUnder(track);
    else return;
    event.preventDefault();
  }

  #nudge(track: HTMLElement, step: number, longer: boolean): void {
    const now = this.#choice?.track === track ? this.#choice : { track, first: this.#firstFree(track), last: this.#firstFree(track) + 4, moving: null };
    if (this.#choice?.track !== track) step = 0;
    const most = quartersOf(track);
    if (longer) this.#choose({ ...now, last: Math.min(Math.max(now.last + step, now.first + 1), most) });
    else {
      const length = now.last - now.first;
      const first = Math.min(Math.max(now.first + step, 0), most - length);
      this.#choose({ ...now, first, last: first + length });
    }
    this.#offer();
  }

  #firstFree(track: HTMLElement): number {
    const link = track.querySelector<HTMLElement>(".gap");
    return link ? this.#placeOf(link)[0] : 0;
  }

  /** To the same day of the machine above or below; a choice goes along. */
  #go(track: HTMLElement, rows: number): void {
    const cell = track.closest("td")!;
    const row = cell.parentElement!;
    const other = (rows < 0 ? row.previousElementSibling : row.nextElementSibling)?.children[[...row.children].indexOf(cell)];
    const next = other?.querySelector<HTMLElement>(".track");
    if (!next) return;
    track.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
    if (this.#choice && !this.#choice.moving) {
      this.#choose({ ...this.#choice, track: next });
      this.#offer();
    }
  }

  #enter(track: HTMLElement): void {
    if (this.#choice?.track === track && this.#isFree(this.#choice)) void this.#send();
    else this.#nudge(track, 0, false);
  }

  #cancelUnder(track: HTMLElement): void {
    const at = this.#choice?.track === track ? this.#choice.first : -1;
    for (const bar of track.querySelectorAll<HTMLElement>("[data-booking]")) {
      const [first, last] = this.#placeOf(bar);
      if (first <= at && at < last) void this.#cancel(bar.dataset["booking"]!);
    }
  }

  // --- the server decides ----------------------------------------------------------------------------------------

  async #ask(method: string, path: string, body?: unknown): Promise<Response | null> {
    try {
      return await fetch(this.getAttribute("api")! + path, {
        method,
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch {
      say(word("The site could not be reached; nothing was sent. Try again."), true);
      return null;
    }
  }

  async #send(): Promise<void> {
    const choice = this.#choice;
    if (!choice) return;
    const time = { start: momentOf(choice.track, choice.first).toISOString(), end: momentOf(choice.track, choice.last).toISOString() };
    const answer = choice.moving
      ? await this.#ask("PATCH", `${choice.moving}/`, time)
      : await this.#ask("POST", "", { machine: Number(choice.track.dataset["machine"]), ...time });
    if (!answer) return;
    if (!answer.ok) return this.#refused(choice, await answer.json().catch(() => ({})));
    const words = this.#words(choice);
    this.#let();
    await this.#refresh(true);
    say(choice.moving ? word("Moved: {what}.", { what: words }) : word("Booked: {what}.", { what: words }));
    this.#focusOn(choice.track);
  }

  async #cancel(booking: string): Promise<void> {
    const answer = await this.#ask("DELETE", `${booking}/`);
    if (!answer) return;
    if (!answer.ok) return this.#refused(null, await answer.json().catch(() => ({})));
    this.#let();
    await this.#refresh(true);
    say(word("Cancelled; the time is free again."));
  }

  /** The sentence of the refusal; a next free time on the same track is chosen. */
  #refused(choice: Choice | null, problem: Problem): void {
    say(problem.detail ?? problem.title ?? word("The site could not take this."), true);
    const next = problem.next_free;
    if (!choice || !next) return;
    const first = (Date.parse(next.start) - startOf(choice.track)) / QUARTER_MS;
    const last = (Date.parse(next.end) - startOf(choice.track)) / QUARTER_MS;
    if (first >= 0 && last <= quartersOf(choice.track)) this.#choose({ ...choice, first, last });
    void this.#refresh(true).then(() => this.#choice && this.#offer());
  }

  #focusOn(track: HTMLElement): void {
    const same = this.#tracks().find((t) => t.dataset["machine"] === track.dataset["machine"] && t.dataset["from"] === track.dataset["from"]);
    same?.focus();
  }

  /** The grid as the server draws it now; a choice stays where it is, and nothing changes under a drag. */
  async #refresh(now = false): Promise<void> {
    if (this.#drag || (document.hidden && !now)) return;
    const answer = await fetch(location.href, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok || this.#drag) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("lc-week [data-grid]");
    const old = this.querySelector("[data-grid]");
    if (!fresh || !old) return;
    const focused = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>(".track");
    const choice = this.#choice;
    const left = old.scrollLeft;
    old.replaceWith(document.importNode(fresh, true));
    this.querySelector("[data-grid]")!.scrollLeft = left;
    this.#mark = null;
    this.#ready();
    if (focused) this.#focusOn(focused);
    if (choice) {
      const same = this.#tracks().find((t) => t.dataset["machine"] === choice.track.dataset["machine"] && t.dataset["from"] === choice.track.dataset["from"]);
      if (same) this.#choose({ ...choice, track: same }, false);
      else this.#let();
    }
  }
}

customElements.define("lc-week", Week);
