/**
 * <lc-scenario label="…" center="24.93,60.17" zoom="15" attribution="© …" src-buildings="…geojson" src-streets="…" src-areas="…"
 *   [src-tiles="…pmtiles" instead of the three] [diff-buildings="…geojson" diff-streets="…"]>{% json_data layers "data-layers" %}
 *   <div data-map>the picture of the server</div> … <form data-compose>…</form></lc-scenario>
 *
 * The map on which a scenario is composed, and on which its answer stands. A click asks of what is there: of a street (close,
 * calm it), of a building (change it), of the ground (a new service, trees, a new street). What is chosen goes into the form of
 * the server, which works alone: a measure is a copy of its <template data-kind>, a field with data-pick="street|point|building"
 * is filled by the map. With `layers`, the answer: {"key", "label", "source": "buildings|streets", "today",
 * "difference": names of properties, "unit", "better": "up|down|none", "steps": [edges of values], "most": end of differences};
 * "Changes" colours the difference, "Beside today" lays the scenario over today behind a border that is dragged, or moved by keys.
 * No address but our own is asked. Sets data-ready when drawn.
 */
import "../styles/island-map.css";
import "../styles/island-scenario.css";
import * as maplibregl from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { fromTiles, tileReader, tileSource } from "../map/tiles";
import { colour, digits, el, GAP, icon, number, segments, tool } from "../dom";
import { onThemeChange } from "../theme";
import { word } from "../words";

maplibregl.setWorkerUrl(workerUrl);

type Features = GeoJSON.FeatureCollection;
type Expression = maplibregl.ExpressionSpecification;
type Point = [number, number];

interface Shown {
  key: string;
  label: string;
  source: "buildings" | "streets";
  today: string;
  difference: string;
  unit: string;
  better: "up" | "down" | "none";
  steps: number[];
  most: number;
}

type Side = "today" | "scenario" | "difference";

const GROUND = ["areas", "streets", "buildings"] as const;
const EMPTY: Features = { type: "FeatureCollection", features: [] };
const REACH_PX = 7;
const HEIGHT: Expression = ["max", ["coalesce", ["to-number", ["get", "height"], 6], 6], 2];
const LEVEL = 0.08; // of the most: a difference below it is drawn as none
/** Kinds of measures that a click offers, by what was clicked. */
const STREET_ASKS: [string, Record<string, string>, string][] = [
  ["close_street", {}, "Close it to cars"],
  ["calm_street", { to: "30" }, "30 km/h"],
  ["calm_street", { to: "bicycle_street" }, "Bicycle street"],
  ["calm_street", { to: "bus_lane" }, "Bus lane"],
];

function mixed(token: string, share: number, ground: string): string {
  const [top, below] = [colour(token), colour(ground)].map((painted) => (painted.match(/[\d.]+/g) ?? []).map(Number));
  return `rgb(${[0, 1, 2].map((at) => Math.round((top?.[at] ?? 0) * share + (below?.[at] ?? 0) * (1 - share))).join(",")})`;
}

function rounded(point: maplibregl.LngLat): string {
  return `${point.lng.toFixed(6)}, ${point.lat.toFixed(6)}`;
}

function parsed(text: string): Point | null {
  const parts = text.split(/[,;\s]+/).filter(Boolean).map(Number);
  return parts.length === 2 && parts.every(Number.isFinite) ? [parts[0]!, parts[1]!] : null;
}

/** The layer of the city that something drawn is of, from tiles or not. */
function layerOf(hit: maplibregl.MapGeoJSONFeature): string {
  return hit.sourceLayer ?? hit.source;
}

/** The property that a value in the scenario gets here: today's and the difference. */
function after(layer: Shown): string {
  return `${layer.key}_after`;
}

function property(layer: Shown, side: Side): string {
  return side === "scenario" ? after(layer) : layer[side];
}

class ScenarioMap extends HTMLElement {
  #host: HTMLElement | null = null;
  #frame: HTMLElement | null = null;
  #say: HTMLElement | null = null;
  #card: HTMLElement | null = null;
  #legend: HTMLUListElement | null = null;
  #swipe: HTMLElement | null = null;
  #maps: maplibregl.Map[] = [];
  #data: Record<string, Features> = {};
  #answers: Record<string, Features> = {};
  #tiled = false;
  #layers: Shown[] = [];
  #layer: Shown | null = null;
  #view: "difference" | "swipe" = "difference";
  #border = 50;
  #waiting: HTMLInputElement | null = null;
  #stops: (() => void)[] = [];
  #styled = new WeakSet<maplibregl.Map>();
  #form: HTMLFormElement | null = null;

  connectedCallback(): void {
    if (this.#frame) return;
    const host = this.querySelector<HTMLElement>("[data-map]");
    if (!host) return;
    this.#host = host;
    this.#form = this.querySelector<HTMLFormElement>("form[data-compose]");
    const block = this.querySelector("script[data-layers], [data-layers] script");
    this.#layers = block?.textContent ? (JSON.parse(block.textContent) as Shown[]) : [];
    this.#layer = this.#layers[0] ?? null;
    this.#compose();
    if (!this.#drawable()) return; // a large district whose tiles are not made yet: picture, form and tables answer
    this.#build();
    this.#open().catch((cause: unknown) => {
      console.debug("lc-scenario:", cause);
      this.setAttribute("data-failed", "");
      this.#say!.textContent = word("We could not draw the map. The list holds the same.");
    });
  }

  #drawable(): boolean {
    return this.hasAttribute("src-buildings") || this.hasAttribute("src-tiles");
  }

  disconnectedCallback(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    for (const map of this.#maps) map.remove();
    this.#maps = [];
    this.#frame?.remove();
    this.#frame = null;
  }

  // --- the form -------------------------------------------------------------------------------------------------------

  /** Give the server's form its sliders, adding and leaving out without a page, and its places from the map. */
  #compose(): void {
    const form = this.#form;
    if (!form) return;
    for (const measure of form.querySelectorAll<HTMLElement>("[data-measure]")) this.#enrich(measure);
    form.addEventListener("click", (event) => {
      const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[name=do]");
      if (!button) return;
      const [verb, what] = button.value.split(":");
      if (verb === "add" && what && this.#add(what, {})) event.preventDefault();
      if (verb === "leave") {
        event.preventDefault();
        const measure = button.closest<HTMLElement>("[data-measure]");
        const next = measure?.nextElementSibling ?? measure?.previousElementSibling;
        measure?.remove();
        (next?.querySelector<HTMLElement>("input, select, button") ?? form.querySelector<HTMLElement>("[data-add] button"))?.focus();
        this.#changed();
      }
    });
    form.addEventListener("input", () => this.#changed());
  }

  /** A copy of the server's template of a kind, filled, at the end of the list; null where there is none. */
  #add(kind: string, values: Record<string, string>): HTMLElement | null {
    const template = this.querySelector<HTMLTemplateElement>(`template[data-kind="${kind}"]`);
    const list = this.#form?.querySelector<HTMLElement>("[data-measures]");
    if (!template || !list) return null;
    const taken = [...list.querySelectorAll<HTMLElement>("[data-measure]")].map((one) => Number(one.dataset["measure"]));
    const next = String(Math.max(-1, ...taken) + 1);
    const holder = el("div");
    holder.append(template.content.cloneNode(true));
    holder.innerHTML = holder.innerHTML.replaceAll("__n__", next);
    const made = holder.firstElementChild as HTMLElement;
    for (const [name, value] of Object.entries(values)) {
      const field = made.querySelector<HTMLInputElement | HTMLSelectElement>(`[name="m-${next}-${name}"]`);
      if (field) field.value = value;
    }
    list.append(made);
    this.#enrich(made);
    this.#changed();
    made.scrollIntoView({ block: "nearest" });
    const first = [...made.querySelectorAll<HTMLInputElement>("input:not([type=hidden]), select")];
    (first.find((field) => field.value === "") ?? first[0])?.focus({ preventScroll: true });
    return made;
  }

  /** A slider beside each number, and a button that takes a place from the map. */
  #enrich(measure: HTMLElement): void {
    for (const field of measure.querySelectorAll<HTMLInputElement>("input[type=number][data-slide]")) {
      const slider = el("input", { type: "range", min: field.min, max: field.max, step: field.dataset["slide"] || "any", value: field.value });
      slider.setAttribute("aria-label", field.labels?.[0]?.textContent?.trim() ?? "");
      const paint = (): void => slider.style.setProperty("--p", `${(100 * (Number(slider.value) - Number(slider.min))) / (Number(slider.max) - Number(slider.min) || 1)}%`);
      slider.addEventListener("input", () => {
        field.value = slider.value;
        paint();
      });
      field.addEventListener("input", () => {
        slider.value = field.value;
        paint();
      });
      field.before(slider);
      paint();
    }
    if (!this.#drawable()) return;
    for (const field of measure.querySelectorAll<HTMLInputElement>("input[data-pick]")) {
      const button = el("button", { type: "button", class: "btn s" }, icon("map"), word("Choose on the map"));
      button.addEventListener("click", () => this.#wait(field));
      field.after(button);
    }
  }

  /** The next click on the map fills this field. */
  #wait(field: HTMLInputElement | null): void {
    this.#waiting = field;
    this.toggleAttribute("data-picking", field !== null);
    const what = field?.dataset["pick"];
    this.#card!.hidden = field === null;
    if (!field) return;
    const said = what === "street" ? word("Click the street.") : what === "building" ? word("Click the building.") : word("Click the place.");
    const leave = el("button", { type: "button", class: "btn s" }, word("Leave it"));
    leave.addEventListener("click", () => this.#wait(null));
    this.#card!.replaceChildren(el("p", {}, said), leave);
    this.#host!.scrollIntoView({ block: "nearest" });
  }

  #changed(): void {
    this.#laid();
    this.toggleAttribute("data-changed", true);
  }

  /** Lay what the form says onto the maps. */
  #laid(): void {
    const source = this.#maps[0]?.getSource<maplibregl.GeoJSONSource>("measures");
    const drawn = this.#drawnMeasures();
    source?.setData(drawn);
    this.#maps[1]?.getSource<maplibregl.GeoJSONSource>("measures")?.setData(drawn);
  }

  /** What the form says, as it lies on the map: streets, points, lines between two points, buildings. */
  #drawnMeasures(): Features {
    const features: GeoJSON.Feature[] = [];
    const put = (geometry: GeoJSON.Geometry, kind: string): void => {
      features.push({ type: "Feature", geometry, properties: { kind } });
    };
    for (const measure of this.querySelectorAll<HTMLElement>("[data-measure]")) {
      const kind = measure.dataset["kind"] ?? "";
      const points: Point[] = [];
      for (const field of measure.querySelectorAll<HTMLInputElement>("[data-pick]")) {
        const what = field.dataset["pick"]!;
        if (what === "point") {
          const point = parsed(field.value);
          if (point) points.push(point);
          continue;
        }
        for (const found of this.#called(what === "street" ? "streets" : "buildings", field.value)) put(found.geometry, kind);
      }
      if (points.length === 2) put({ type: "LineString", coordinates: points }, kind);
      else for (const point of points) put({ type: "Point", coordinates: point }, kind);
    }
    return { type: "FeatureCollection", features };
  }

  /** What has this key or name: of all that was sent, or of the tiles in view. */
  #called(layer: "streets" | "buildings", name: string): GeoJSON.Feature[] {
    if (name === "") return [];
    const map = this.#maps[0];
    if (this.#tiled) return map?.getSource("tiles") ? map.querySourceFeatures("tiles", { sourceLayer: layer, filter: ["any", ["==", ["get", "id"], name], ["==", ["get", "name"], name]] }) : [];
    return (this.#data[layer]?.features ?? []).filter((one) => String(one.properties?.["id"]) === name || one.properties?.["name"] === name);
  }

  // --- the map --------------------------------------------------------------------------------------------------------

  #build(): void {
    this.#say = el("p", { class: "map-say", role: "status" }, word("Drawing the map…"));
    this.#card = el("div", { class: "panel map-ask", "aria-live": "polite", hidden: "" });
    this.#legend = el("ul", { class: "legend map-legend", hidden: "" });
    const tools = el(
      "div",
      { class: "map-tools", role: "group", "aria-label": word("Turn and zoom") },
      tool("plus", word("Nearer"), () => this.#maps[0]?.zoomIn()),
      tool("minus", word("Farther"), () => this.#maps[0]?.zoomOut()),
    );
    this.#frame = el("div", { class: "map-frame" }, el("div", { class: "map-canvas" }), this.#say, tools, this.#legend, this.#card);
    if (this.#layers.length > 0) this.#frame.append(this.#foot());
    const still = el("div", { class: "map-still", "data-map-still": "" });
    still.append(...this.#host!.childNodes);
    this.#frame.prepend(still);
    this.#host!.append(this.#frame);
  }

  #foot(): HTMLElement {
    const views: [string, string][] = [["difference", word("Changes")], ["swipe", word("Beside today")]];
    const foot = el("div", { class: "map-foot" });
    const select = el("select", { class: "map-select", "aria-label": word("Layer") });
    for (const layer of this.#layers) select.append(el("option", { value: layer.key }, layer.label));
    select.addEventListener("change", () => {
      this.#layer = this.#layers.find((layer) => layer.key === select.value) ?? null;
      this.#repaint();
    });
    foot.append(select, segments(word("View"), views, "difference", (key) => this.#show(key as "difference" | "swipe")));
    return foot;
  }

  async #open(): Promise<void> {
    this.#tiled = this.hasAttribute("src-tiles");
    const jobs = GROUND.map(async (name) => {
      this.#data[name] = await this.#got(this.getAttribute(`src-${name}`));
    });
    await Promise.all(this.#tiled ? [...jobs, tileReader()] : jobs);
    for (const name of ["buildings", "streets"] as const) {
      const address = this.getAttribute(`diff-${name}`);
      if (address) this.#join(name, await this.#got(address));
    }
    if (!this.#frame) return;
    const map = this.#made(this.#frame.querySelector<HTMLElement>(".map-canvas")!, this.#where());
    this.#maps = [map];
    map.on("load", () => map.once("idle", () => {
      this.#say!.textContent = "";
      this.setAttribute("data-ready", "");
    }));
    this.#stops.push(onThemeChange(() => {
      for (const [at, one] of this.#maps.entries()) {
        one.setStyle(this.#style(at === 1 ? "scenario" : this.#sideOfFirst()), { diff: true });
        this.#tell(one);
      }
      this.#key();
    }));
    this.#key();
  }

  async #got(address: string | null): Promise<Features> {
    if (!address) return EMPTY;
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    return (await answer.json()) as Features;
  }

  /** Lay the answer's values onto the city's shapes by id; what is new in the scenario comes with its own shape. Shapes in
   * tiles are told their values as states, map by map. */
  #join(name: "buildings" | "streets", answer: Features): void {
    this.#answers[name] = answer;
    const shapes = new Map((this.#data[name]?.features ?? []).map((one) => [String(one.properties?.["id"]), one]));
    const layers = this.#layers.filter((layer) => layer.source === name);
    for (const one of answer.features) {
      const values = (one.properties ??= {}) as Record<string, unknown>;
      for (const layer of layers) {
        const [before, change] = [values[layer.today], values[layer.difference]];
        if (typeof before === "number" && typeof change === "number") values[after(layer)] = before + change;
      }
      if (this.#tiled) continue;
      const shape = shapes.get(String(one.properties?.["id"] ?? one.id));
      if (shape) shape.properties = { ...one.properties, ...shape.properties, ...one.properties };
      else if (one.geometry) this.#data[name]!.features.push(one);
    }
  }

  /** The answer's values as states of what a map draws from tiles. */
  #tell(map: maplibregl.Map): void {
    if (!this.#tiled) return;
    for (const [sourceLayer, answer] of Object.entries(this.#answers)) {
      for (const one of answer.features) map.setFeatureState({ source: "tiles", sourceLayer, id: String(one.properties?.["id"] ?? one.id) }, one.properties ?? {});
    }
  }

  #where(): { center: Point; zoom: number } {
    const [lon, lat] = (this.getAttribute("center") ?? "0,0").split(",").map(Number);
    return { center: [lon ?? 0, lat ?? 0], zoom: Number(this.getAttribute("zoom") ?? 15) };
  }

  #made(container: HTMLElement, camera: { center: Point; zoom: number }, side: Side = this.#sideOfFirst()): maplibregl.Map {
    const map = new maplibregl.Map({
      container,
      style: this.#style(side),
      attributionControl: false,
      cooperativeGestures: true,
      fadeDuration: 0,
      maxPitch: 60,
      pitch: 40,
      bearing: -17,
      ...camera,
      locale: {
        "Map.Title": this.getAttribute("label") ?? word("Map"),
        "CooperativeGesturesHandler.WindowsHelpText": word("Hold Ctrl to zoom the map"),
        "CooperativeGesturesHandler.MacHelpText": word("Hold ⌘ to zoom the map"),
        "CooperativeGesturesHandler.MobileHelpText": word("Use two fingers to move the map"),
      },
    });
    const credit = this.getAttribute("attribution") ?? "© OpenStreetMap contributors";
    if (side !== "scenario") map.addControl(new maplibregl.AttributionControl({ compact: false, customAttribution: credit }), "top-left");
    map.on("error", (event) => console.debug("lc-scenario:", event.error));
    map.once("style.load", () => {
      this.#styled.add(map);
      this.#tell(map);
      this.#repaint();
    });
    if (this.#tiled) map.on("moveend", () => this.#laid()); // other streets have come into view
    map.on("click", (event) => this.#clicked(map, event));
    map.on("mousemove", (event) => {
      const over = this.#waiting !== null || this.#hits(map, event.point).length > 0;
      map.getCanvas().style.cursor = over ? "crosshair" : "";
    });
    return map;
  }

  #sideOfFirst(): Side {
    return this.#view === "swipe" ? "today" : "difference";
  }

  #style(side: Side): maplibregl.StyleSpecification {
    const sources: maplibregl.StyleSpecification["sources"] = {};
    if (this.#tiled) sources["tiles"] = tileSource(this.getAttribute("src-tiles")!);
    else for (const name of GROUND) sources[name] = { type: "geojson", data: this.#data[name] ?? EMPTY };
    sources["measures"] = { type: "geojson", data: this.#drawnMeasures() };
    const water: Expression = ["in", "water", ["downcase", ["to-string", ["coalesce", ["get", "kind"], ""]]]];
    const wide: Expression = ["match", ["to-string", ["coalesce", ["get", "kind"], ["get", "class"], ["get", "highway"], ""]],
      ["motorway", "trunk", "primary"], 3.4, ["secondary", "tertiary"], 2.6, ["footway", "path", "steps", "cycleway", "pedestrian"], 0.8, 1.7];
    const width: Expression = ["interpolate", ["exponential", 1.6], ["zoom"], 12, ["*", 0.4, wide], 16, ["*", 2.6, wide], 19, ["*", 12, wide]];
    const strong: Expression = ["interpolate", ["exponential", 1.6], ["zoom"], 12, 2, 16, 7, 19, 24];
    const walls = { "fill-extrusion-vertical-gradient": false, "fill-extrusion-opacity": 1 };
    const flat: Expression = ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]];
    const layers: maplibregl.LayerSpecification[] = [
      { id: "ground", type: "background", paint: { "background-color": colour("map-ground") } },
      { id: "areas", type: "fill", source: "areas", filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "fill-color": ["case", water, colour("map-water"), colour("map-park")] } },
      { id: "streets", type: "line", source: "streets", layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": this.#paint("streets", side, "map-road"), "line-width": width } },
      { id: "measured-streets", type: "line", source: "measures", filter: ["==", ["geometry-type"], "LineString"],
        layout: { "line-cap": "butt" }, paint: { "line-color": colour("ink"), "line-width": strong, "line-dasharray": [1, 0.6], "line-opacity": 0.85 } },
      { id: "walls", type: "fill-extrusion", source: "buildings",
        paint: { ...walls, "fill-extrusion-color": colour("map-wall-a"), "fill-extrusion-height": ["-", HEIGHT, 0.3] } },
      { id: "roofs", type: "fill-extrusion", source: "buildings",
        paint: { ...walls, "fill-extrusion-color": this.#paint("buildings", side, "map-roof"), "fill-extrusion-base": ["-", HEIGHT, 0.3], "fill-extrusion-height": HEIGHT } },
      { id: "measured-houses", type: "line", source: "measures", filter: flat,
        paint: { "line-color": colour("ink"), "line-width": 4 } },
      { id: "measured-points", type: "circle", source: "measures", filter: ["==", ["geometry-type"], "Point"],
        paint: { "circle-radius": 9, "circle-color": colour("act"), "circle-stroke-color": colour("raised"), "circle-stroke-width": 3 } },
    ];
    return {
      version: 8,
      sources,
      light: { anchor: "map", position: [1.4, 200, 34], intensity: 0.28, color: "#ffffff" },
      layers: this.#tiled ? layers.map((layer) => fromTiles(layer, "measures")) : layers,
    };
  }

  /** The colour of a layer on one side: values in steps of action's green, differences in blue (better) and orange (worse). */
  #paint(source: "buildings" | "streets", side: Side, ground: string): string | Expression {
    const layer = this.#layer;
    const plain = colour(ground);
    if (!layer || layer.source !== source) return plain;
    const value: Expression = [this.#tiled ? "feature-state" : "get", property(layer, side)];
    const painted = side === "difference" ? this.#differencePaint(layer, value, ground) : this.#valuePaint(layer, value, ground);
    return ["case", ["==", ["typeof", value], "number"], painted, plain] as Expression;
  }

  #differencePaint(layer: Shown, value: Expression, ground: string): Expression {
    const [more, less] = layer.better === "down" ? ["removed", "added"] : layer.better === "up" ? ["added", "removed"] : ["ink-2", "act"];
    const most = layer.most || 1;
    const still = layer.source === "streets" ? mixed("ink-3", 0.35, ground) : colour(ground);
    return ["interpolate", ["linear"], value,
      -most, mixed(less, 0.95, ground), -most * LEVEL, mixed(less, 0.25, ground), -most * LEVEL * 0.99, still,
      most * LEVEL * 0.99, still, most * LEVEL, mixed(more, 0.25, ground), most, mixed(more, 0.95, ground)];
  }

  #valuePaint(layer: Shown, value: Expression, ground: string): Expression {
    const shares = this.#shares(layer);
    const rest = layer.steps.flatMap((edge, at) => [edge, mixed("act", shares[at + 1]!, ground)]);
    return ["step", value, mixed("act", shares[0]!, ground), ...rest] as unknown as Expression;
  }

  #shares(layer: Shown): number[] {
    const count = layer.steps.length + 1;
    return Array.from({ length: count }, (_none, at) => 0.08 + (0.84 * at) / Math.max(count - 1, 1));
  }

  #repaint(): void {
    for (const [at, map] of this.#maps.entries()) {
      if (!this.#styled.has(map)) continue; // it repaints itself when it can
      const side = at === 1 ? "scenario" : this.#sideOfFirst();
      map.setPaintProperty("roofs", "fill-extrusion-color", this.#paint("buildings", side, "map-roof"));
      map.setPaintProperty("streets", "line-color", this.#paint("streets", side, "map-road"));
    }
    this.#key();
  }

  #key(): void {
    const layer = this.#layer;
    this.#legend!.hidden = !layer;
    if (!layer) return;
    const item = (paint: string, words: string): HTMLLIElement => {
      const sign = el("i");
      sign.style.background = paint;
      return el("li", {}, sign, words);
    };
    const ground = layer.source === "streets" ? "map-road" : "map-roof";
    const said = (value: number): string => number(value, Number.isInteger(value) ? 0 : digits(value));
    if (this.#view === "difference") {
      const [more, less] = layer.better === "down" ? ["removed", "added"] : layer.better === "up" ? ["added", "removed"] : ["ink-2", "act"];
      const end = said(layer.most);
      this.#legend!.replaceChildren(
        item(mixed(less, 0.95, ground), word("{n} less", { n: end + GAP + layer.unit })),
        item(layer.source === "streets" ? mixed("ink-3", 0.35, ground) : colour(ground), word("as today")),
        item(mixed(more, 0.95, ground), word("{n} more", { n: end + GAP + layer.unit })),
      );
      return;
    }
    const shares = this.#shares(layer);
    const words = [word("below {n}", { n: said(layer.steps[0] ?? 0) }), ...layer.steps.map((edge) => word("from {n}", { n: said(edge) }))];
    this.#legend!.replaceChildren(...words.map((text, at) => item(mixed("act", shares[at]!, ground), text + GAP + layer.unit)));
  }

  // --- beside today ---------------------------------------------------------------------------------------------------

  #show(view: "difference" | "swipe"): void {
    this.#view = view;
    const first = this.#maps[0];
    if (!first || !this.#frame) return;
    if (view === "difference") {
      this.#maps.splice(1).forEach((map) => map.remove());
      this.#swipe?.remove();
      this.#frame.querySelectorAll(".map-canvas.over, .corner").forEach((part) => part.remove());
      this.#repaint();
      return;
    }
    const over = el("div", { class: "map-canvas over" });
    this.#frame.querySelector(".map-canvas")!.after(over);
    const center = first.getCenter();
    const second = this.#made(over, { center: [center.lng, center.lat], zoom: first.getZoom() }, "scenario");
    second.jumpTo({ bearing: first.getBearing(), pitch: first.getPitch() });
    this.#maps = [first, second];
    this.#together(first, second);
    const sign = (letter: string, words: string, place: string): HTMLElement =>
      el("div", { class: `corner ${place}` }, el("span", { class: "tag" }, el("span", { class: place === "tr" ? "ab b" : "ab" }, letter), words));
    this.#frame.append(sign("A", word("Today"), "tl low"), sign("B", word("Scenario"), "tr low"), this.#handle(over));
    this.#repaint();
  }

  /** One camera for both. */
  #together(first: maplibregl.Map, second: maplibregl.Map): void {
    let busy = false;
    const follow = (from: maplibregl.Map, to: maplibregl.Map) => (): void => {
      if (busy) return;
      busy = true;
      to.jumpTo({ center: from.getCenter(), zoom: from.getZoom(), bearing: from.getBearing(), pitch: from.getPitch() });
      busy = false;
    };
    first.on("move", follow(first, second));
    second.on("move", follow(second, first));
  }

  #handle(over: HTMLElement): HTMLElement {
    const knob = el("button", { type: "button", role: "slider", "aria-valuemin": "0", "aria-valuemax": "100", "aria-orientation": "horizontal" }, icon("left"), icon("right"));
    knob.setAttribute("aria-label", word("Border between today and scenario"));
    const made = el("div", { class: "swipe" }, knob);
    const put = (share: number): void => {
      this.#border = Math.min(Math.max(share, 0), 100);
      over.style.clipPath = `inset(0 0 0 ${this.#border}%)`;
      made.style.insetInlineStart = `${this.#border}%`;
      knob.setAttribute("aria-valuenow", String(Math.round(this.#border)));
    };
    knob.addEventListener("pointerdown", (event) => {
      knob.setPointerCapture(event.pointerId);
      event.preventDefault();
      knob.focus();
    });
    knob.addEventListener("pointermove", (event) => {
      if (!knob.hasPointerCapture(event.pointerId)) return;
      const box = over.getBoundingClientRect();
      put((100 * (event.clientX - box.left)) / box.width);
    });
    knob.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -20, PageUp: 20, Home: -100, End: 100 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      put(this.#border + step);
    });
    this.#swipe = made;
    put(50);
    return made;
  }

  // --- clicks ---------------------------------------------------------------------------------------------------------

  #hits(map: maplibregl.Map, at: maplibregl.Point): maplibregl.MapGeoJSONFeature[] {
    const reach: [maplibregl.PointLike, maplibregl.PointLike] = [[at.x - REACH_PX, at.y - REACH_PX], [at.x + REACH_PX, at.y + REACH_PX]];
    const wanted = this.#waiting?.dataset["pick"];
    const layers = wanted === "street" ? ["streets"] : wanted === "building" ? ["roofs", "walls"] : ["roofs", "walls", "streets"];
    return map.queryRenderedFeatures(reach, { layers: layers.filter((layer) => map.getLayer(layer)) });
  }

  #clicked(map: maplibregl.Map, event: maplibregl.MapMouseEvent): void {
    const field = this.#waiting;
    const hits = this.#hits(map, event.point);
    const hit = map.queryRenderedFeatures(event.point, { layers: ["roofs", "walls"] })[0] ?? hits.find((one) => layerOf(one) === "streets") ?? hits[0];
    if (field) {
      const value = field.dataset["pick"] === "point" ? rounded(event.lngLat) : String(hits[0]?.properties["id"] ?? "");
      if (value === "") return;
      field.value = value;
      const name = hits[0]?.properties["name"];
      const note = field.closest(".field")?.querySelector<HTMLElement>("[data-picked]");
      if (note && typeof name === "string") note.textContent = name;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      this.#wait(null);
      const rest = [...(field.closest("[data-measure]")?.querySelectorAll<HTMLInputElement>("[data-pick]") ?? [])].find((one) => one.value === "");
      if (rest) this.#wait(rest);
      return;
    }
    this.#ask(event.lngLat, hit);
  }

  /** What may be changed here. */
  #ask(at: maplibregl.LngLat, hit: maplibregl.MapGeoJSONFeature | undefined): void {
    const card = this.#card!;
    const id = String(hit?.properties["id"] ?? "");
    const name = String(hit?.properties["name"] ?? "") || (hit && layerOf(hit) === "streets" ? word("A street without a name") : hit ? word("A building without a name") : word("This place"));
    const offers: [string, () => void][] = [];
    const offer = (words: string, kind: string, values: Record<string, string>): void => {
      if (this.querySelector(`template[data-kind="${kind}"]`)) offers.push([words, () => this.#take(kind, values, name, hit !== undefined)]);
    };
    if (hit && layerOf(hit) === "streets") for (const [kind, values, words] of STREET_ASKS) offer(word(words), kind, { street: id, ...values });
    else if (hit) offer(word("Change its use or storeys"), "change_building", { building: id });
    if (!hit || layerOf(hit) !== "buildings") {
      offer(word("A new service here"), "new_service", { at: rounded(at) });
      offer(word("Trees here"), "trees", { at: rounded(at) });
      offer(word("A new street from here"), "new_street", { from: rounded(at) });
    }
    const talk = document.querySelector<HTMLInputElement>("input[data-place]");
    if (talk) offers.push([word("Say something about it"), () => this.#speak(talk, at)]);
    if (offers.length === 0) return;
    const buttons = offers.map(([words, act]) => {
      const button = el("button", { type: "button", class: "btn s" }, words);
      button.addEventListener("click", act);
      return button;
    });
    const close = tool("close", word("Leave it"), () => (card.hidden = true));
    card.replaceChildren(el("div", { class: "row between" }, el("b", {}, name), close), ...this.#values(hit), el("div", { class: "row" }, ...buttons));
    card.hidden = false;
    buttons[0]!.focus({ preventScroll: true });
  }

  /** The answer's values of what was clicked. */
  #values(hit: maplibregl.MapGeoJSONFeature | undefined): HTMLElement[] {
    const values: Record<string, unknown> = { ...hit?.properties, ...hit?.state };
    const rows = this.#layers.filter((layer) => hit && layer.source === layerOf(hit) && typeof values[layer.difference] === "number");
    return rows.map((layer) => {
      const said = (name: string): string => {
        const value = values[name];
        return typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : digits(value)) : "–";
      };
      return el("p", { class: "small" }, word("{what}: {a} today, {b} in the scenario", { what: layer.label, a: said(layer.today), b: said(after(layer)) }), GAP + layer.unit);
    });
  }

  #speak(field: HTMLInputElement, at: maplibregl.LngLat): void {
    field.value = rounded(at);
    this.#card!.hidden = true;
    field.closest("form")?.querySelector<HTMLElement>("textarea")?.focus();
  }

  #take(kind: string, values: Record<string, string>, name: string, named: boolean): void {
    const made = this.#add(kind, values);
    this.#card!.hidden = true;
    const note = made?.querySelector<HTMLElement>("[data-picked]");
    if (note && named) note.textContent = name;
    const rest = [...(made?.querySelectorAll<HTMLInputElement>("[data-pick]") ?? [])].find((one) => one.value === "");
    if (rest) this.#wait(rest);
  }
}

customElements.define("lc-scenario", ScenarioMap);
