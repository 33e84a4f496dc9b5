/**
 * <lc-map label="…" src-buildings="…geojson" src-streets="…" src-areas="…" src-services="…" src-places="…"
 *   view="3d|flat" center="24.93,60.17" zoom="15" list="/address/of/a/list/" panel-url="/twin/x/buildings/{id}/"
 *   attribution="© …">{% json_data layers "data-layers" %}{% json_data pins "data-pins" %}
 *   <div>the list, for everyone</div></lc-map>   <div data-map-panel></div>
 *
 * GeoJSON comes from our own server only. Buildings are paper-coloured and stand `height` metres high (from `min_height`);
 * the layer shown gives colour:
 *   {"key", "label", "property", "type": "steps", "steps": [5, 10, 15], "unit": "min", "color"?: token, "invert"?: true}
 *     (a higher step is stronger; `invert`: a lower one, as minutes want it)
 *   {"key", "label", "property", "type": "category", "values"?: [{"value", "label", "color"?: token, "share"?: 0..1}]}
 *     (without values the six most frequent)
 *   {"key", "label", "dots": true, "values": [{"value": "", "label"}]} shows the services as dots, which else come only
 *     with nearness;
 *   {"key", "label"} alone is plain; "title" heads the legend; "missing": words for what has no value.
 * `src-tiles` (PMTiles of ours, read in parts) stands for the four layers of a large district; `src-roofs` brings buildings
 * of a 3D model as triangles (map/roofs.ts). `show` names the layer at first, `chooser="off"` leaves choosing to the page:
 * `choose(key)`, `shade({azimuth, elevation} | null)`, `things([…])`, `told(id, words, tones)`. `keeps` writes the camera
 * (`eye`) and what was picked (`pick`) into the address, and opens there.
 * Pins: [{"lon", "lat", "title", "detail"?, "url", "color"?}]. A click fires `lc:pick` with the properties and fills
 * [data-map-panel]: by panel-url as HTML of the server, else with the facts. `sets="id_lat id_lon"`: a click writes where
 * it was into these two fields, and a mark stands where they say. Sets data-ready when drawn.
 */
import "../styles/island-map.css";
import * as maplibregl from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { colour, digits, el, GAP, number, segments, tool } from "../dom";
import { Roofs } from "../map/roofs";
import { Shadows, type Sun } from "../map/shadows";
import { fromTiles, tileReader, tileSource } from "../map/tiles";
import { isDark, onThemeChange } from "../theme";
import { word } from "../words";

maplibregl.setWorkerUrl(workerUrl);

type Features = GeoJSON.FeatureCollection;
type Expression = maplibregl.ExpressionSpecification;
type Colour = string | Expression;

interface Layer {
  key: string;
  label: string;
  title?: string;
  property?: string;
  type?: "steps" | "category";
  steps?: number[];
  unit?: string;
  color?: string;
  invert?: boolean;
  values?: { value: string; label: string; color?: string; share?: number }[];
  missing?: string;
  dots?: boolean;
}

interface Pin {
  lon: number;
  lat: number;
  title: string;
  detail?: string;
  url: string;
  color?: string;
}

/** Something on the map that reports: a lab with a dot for each machine, a meter, a sensor. */
export interface Reporting {
  id: string;
  title: string;
  lon: number;
  lat: number;
  parts: string[];
}

interface Mark {
  words: HTMLElement;
  dots: Map<string, HTMLElement>;
}

interface Class {
  from?: number;
  value?: string;
  words: string;
  paint: string;
}

/** Categories have no energy in them, so they take none of the energy colours; six at most, the rest stays paper. */
const CATEGORY_COLOURS: [string, number][] = [["act", 0.85], ["removed", 0.7], ["added", 0.7], ["act", 0.4], ["removed", 0.35], ["added", 0.35]];
const MOST_SEGMENTS = 5;
const DOTS_FROM_ZOOM = 17; // nearer than the whole district: there a dot is a door, farther out it is dust
const SOURCES = ["areas", "streets", "buildings", "services", "places"] as const;
const PICKED: Expression = ["boolean", ["feature-state", "picked"], false];
const HEIGHT: Expression = ["max", ["coalesce", ["to-number", ["get", "height"], 6], 6], 2];
const BASE: Expression = ["to-number", ["get", "min_height"], 0];
const PIN_ROOM = { top: 72, bottom: 32, left: 96, right: 96 }; // for the words above a pin
const NO_FEATURES: Features = { type: "FeatureCollection", features: [] };

/** `share` of a token's colour laid over the roofs' paper, as the mock-ups mix it. */
function laid(token: string, share: number): string {
  const [top, ground] = [colour(token), colour("map-roof")].map((painted) => (painted.match(/[\d.]+/g) ?? []).map(Number));
  const mixed = [0, 1, 2].map((at) => Math.round((top?.[at] ?? 0) * share + (ground?.[at] ?? 0) * (1 - share)));
  return `rgb(${mixed.join(",")})`;
}

/** The classes of a layer of steps: a higher one is stronger, or a lower one when it is inverted. */
function steps(layer: Layer): Class[] {
  const given = layer.steps ?? [];
  const edges = (given[0] ?? 0) > 0 ? [0, ...given] : given;
  const unit = layer.unit ? GAP + layer.unit : "";
  return edges.map((from, at) => {
    const share = edges.length > 1 ? at / (edges.length - 1) : 1;
    const to = edges[at + 1];
    const range = to === undefined ? word("from {n}", { n: number(from, digitsOf(from)) }) : `${number(from, digitsOf(from))}–${number(to, digitsOf(to))}`;
    return { from, words: range + unit, paint: laid(layer.color ?? "act", 0.1 + 0.8 * (layer.invert ? 1 - share : share)) };
  });
}

/** The classes of a layer of categories: as given, else the six most frequent values. */
function categories(layer: Layer, data: Features | undefined): Class[] {
  const counts = new Map<string, number>();
  for (const feature of layer.values ? [] : (data?.features ?? [])) {
    const value = feature.properties?.[layer.property ?? ""];
    if (value !== null && value !== undefined && value !== "") counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  }
  const frequent = [...counts].sort((a, b) => b[1] - a[1]).slice(0, CATEGORY_COLOURS.length);
  const values = layer.values ?? frequent.map(([value]) => ({ value, label: value.replaceAll("_", " ") }));
  return values.map((one: NonNullable<Layer["values"]>[number], at) => {
    const [token, share] = CATEGORY_COLOURS[at % CATEGORY_COLOURS.length]!;
    return { value: one.value, words: one.label, paint: one.color ? laid(one.color, one.share ?? 0.85) : laid(token, share) };
  });
}

function bounds(features: Features): maplibregl.LngLatBounds | null {
  const box = new maplibregl.LngLatBounds();
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number") box.extend(part as [number, number]);
    else part.forEach(walk);
  };
  for (const feature of features.features) if (feature.geometry && "coordinates" in feature.geometry) walk(feature.geometry.coordinates);
  return box.isEmpty() ? null : box;
}

/** A number of the address, or null. */
function eyeOf(text: string | null): number[] | null {
  const parts = (text ?? "").split(",").map(Number);
  return parts.length === 5 && parts.every(Number.isFinite) ? parts : null;
}

/** Write one thing into the address without loading the page anew. */
export function address(changes: Record<string, string | null>): void {
  const asked = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") asked.delete(name);
    else asked.set(name, value);
  }
  const query = asked.toString();
  history.replaceState(history.state, "", `${location.pathname}${query ? `?${query}` : ""}${location.hash}`);
}

/** The box that holds all pins; null without one. */
function around(pins: Pin[]): [number, number, number, number] | null {
  if (pins.length === 0) return null;
  const [lons, lats] = [pins.map((pin) => pin.lon), pins.map((pin) => pin.lat)];
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

/** The words of a pin near the frame's edge move inwards, and its foot stays where it points. */
function inside(map: maplibregl.Map, pin: Pin, link: HTMLElement): void {
  const [x, width, half] = [map.project([pin.lon, pin.lat]).x, map.getContainer().clientWidth, link.offsetWidth / 2 + 6];
  const shift = x < 0 || x > width || 2 * half > width ? 0 : Math.max(half - x, 0) + Math.min(width - half - x, 0);
  link.style.setProperty("--shift", `${Math.round(shift)}px`);
}

export class CityMap extends HTMLElement {
  #map: maplibregl.Map | null = null;
  #frame: HTMLDivElement | null = null;
  #host: HTMLDivElement | null = null;
  #legend: HTMLUListElement | null = null;
  #say: HTMLParagraphElement | null = null;
  #list: HTMLElement[] = [];
  #data: Partial<Record<string, Features>> = {};
  #layers: Layer[] = [];
  #classes: Class[] = [];
  #layer: Layer | null = null;
  #picked: string | number | null = null;
  #flat = false;
  #tiled = false;
  #styled = false;
  #roofs: Roofs | null = null;
  readonly #shadows = new Shadows();
  #sun: Sun | null = null;
  #marks = new Map<string, Mark>();
  #reporting: Reporting[] = [];
  #stops: (() => void)[] = [];

  connectedCallback(): void {
    if (this.#frame) return;
    this.#layers = this.#json<Layer[]>("data-layers") ?? [];
    this.#flat = this.getAttribute("view") === "flat";
    this.#build();
    this.#open().catch((cause: unknown) => {
      console.debug("lc-map:", cause);
      this.#fail(word("We could not draw the map. The list holds the same."));
    });
  }

  disconnectedCallback(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    this.#map?.remove();
    this.#map = null;
    this.#styled = false;
    this.#frame?.remove();
    this.#frame = null;
  }

  /** A JSON block inside, marked itself or in a marked element. */
  #json<T>(mark: string): T | null {
    const block = this.querySelector(`script[${mark}], [${mark}] script`);
    return block?.textContent ? (JSON.parse(block.textContent) as T) : null;
  }

  #build(): void {
    this.#list = [...this.children].filter(
      (child): child is HTMLElement => child instanceof HTMLElement && !["SCRIPT", "NOSCRIPT"].includes(child.tagName) && !child.matches("[data-layers], [data-pins], [data-geojson], [data-map-still]"),
    );
    this.#host = el("div", { class: "map-canvas" });
    this.#legend = el("ul", { class: "legend map-legend" });
    this.#say = el("p", { class: "map-say", role: "status" }, word("Drawing the map…"));
    const tools = el(
      "div",
      { class: "map-tools", role: "group", "aria-label": word("Turn and zoom") },
      tool("plus", word("Nearer"), () => this.#map?.zoomIn()),
      tool("minus", word("Farther"), () => this.#map?.zoomOut()),
      tool("turn", word("Turn"), () => this.#map?.easeTo({ bearing: this.#map.getBearing() + 30 })),
    );
    this.#frame = el("div", { class: "map-frame" }, this.#host, this.#say, tools, this.#legend, this.#foot());
    const still = this.querySelector("[data-map-still]");
    if (still) this.#frame.prepend(still);
    this.prepend(this.#frame);
    this.#hide(true);
  }

  #foot(): HTMLDivElement {
    const layers = this.#layers;
    this.#layer = layers.find((layer) => layer.key === this.getAttribute("show")) ?? layers[0] ?? null;
    const address = this.getAttribute("list");
    const views: [string, string][] = [["3d", word("3D")], ["flat", word("Map")]];
    if (this.#list.length > 0 && !address) views.push(["list", word("List")]);
    const view = segments(word("View"), views, this.#flat ? "flat" : "3d", (key) => this.#view(key));
    if (address) view.append(el("a", { href: address }, word("List")));
    const foot = el("div", { class: "map-foot" }, view);
    if (layers.length > 1 && this.getAttribute("chooser") !== "off") foot.prepend(this.#chooser(layers));
    return foot;
  }

  /** A few layers stand side by side, many in a list. */
  #chooser(layers: Layer[]): HTMLElement {
    if (layers.length <= MOST_SEGMENTS) {
      const options = layers.map((layer): [string, string] => [layer.key, layer.label]);
      return segments(word("Layer"), options, layers[0]!.key, (key) => this.#choose(key));
    }
    const options = layers.map((layer) => el("option", { value: layer.key }, layer.label));
    const select = el("select", { class: "map-select", "aria-label": word("Layer") }, ...options);
    select.addEventListener("change", () => this.#choose(select.value));
    return select;
  }

  async #open(): Promise<void> {
    this.#tiled = this.hasAttribute("src-tiles");
    await (this.#tiled ? tileReader() : this.#load());
    await this.#loadRoofs();
    if (!this.#frame) return;
    this.#classify();
    const map = new maplibregl.Map({
      container: this.#host!,
      style: this.#style(),
      attributionControl: false,
      cooperativeGestures: true,
      maxPitch: 70,
      ...this.#tilt(),
      fadeDuration: 0,
      ...this.#where(),
      locale: {
        "Map.Title": this.getAttribute("label") ?? word("Map"),
        "CooperativeGesturesHandler.WindowsHelpText": word("Hold Ctrl to zoom the map"),
        "CooperativeGesturesHandler.MacHelpText": word("Hold ⌘ to zoom the map"),
        "CooperativeGesturesHandler.MobileHelpText": word("Use two fingers to move the map"),
      },
    });
    this.#map = map;
    const credit = this.getAttribute("attribution") ?? "© OpenStreetMap contributors";
    map.addControl(new maplibregl.AttributionControl({ compact: false, customAttribution: credit }), "top-left");
    map.on("error", (event) => console.debug("lc-map:", event.error));
    // A tilted view shows far more than its box; come nearer, so that the city fills the frame.
    if (!this.hasAttribute("center") && !this.#flat && !this.hasAttribute("keeps")) map.jumpTo({ zoom: Math.min(map.getZoom() + 0.95, 17.2) });
    map.on("load", () => this.#drawn());
    map.on("style.load", () => this.#solids(map));
    if (this.hasAttribute("keeps")) map.on("moveend", () => this.#keepEye(map));
    if (this.#tiled) map.on("idle", () => this.#takeShadows());
    this.#stops.push(onThemeChange(() => this.#restyle()));
    this.#pins(map);
    this.#sets(map);
    this.#clicks(map);
    this.#key();
    this.#mark();
  }

  /** Buildings of a 3D model, where the page has them; without them the map stands all the same. */
  async #loadRoofs(): Promise<void> {
    const src = this.getAttribute("src-roofs");
    if (!src) return;
    try {
      const answer = await fetch(src, { credentials: "same-origin" });
      if (answer.ok) this.#roofs = new Roofs(await answer.arrayBuffer());
    } catch (cause) {
      console.debug("lc-map:", cause);
    }
  }

  /** The layers that the style cannot hold: shadows beneath the buildings, and roofs among them. */
  #solids(map: maplibregl.Map): void {
    this.#styled = true;
    if (!map.getLayer("shade")) map.addLayer(this.#shadows, "walls");
    if (this.#roofs && !map.getLayer("solids")) map.addLayer(this.#roofs, "services");
    this.#takeShadows();
    this.#paintRoofs();
    this.#light();
  }

  /** The outlines that cast shadows: all of a district, or what the tiles in view hold. */
  #takeShadows(): void {
    if (!this.#sun || !this.#map) return;
    const near = this.#tiled ? this.#map.querySourceFeatures("tiles", { sourceLayer: "buildings" }) : (this.#data["buildings"]?.features ?? []);
    this.#shadows.take(near, (properties) => Number(properties?.["height"] ?? 6));
  }

  #paintRoofs(): void {
    const wall = colour("map-wall-a");
    const [picked, pickedWall] = [this.#pickedPaint(), colour("ink-2")];
    const about = new Map<string, GeoJSON.GeoJsonProperties>();
    for (const feature of this.#data["buildings"]?.features ?? []) about.set(String(feature.properties?.["id"]), feature.properties);
    this.#roofs?.colour(
      (key) => (key === this.#picked ? picked : this.#paintOf(about.get(key) ?? {})),
      (key) => (key === this.#picked ? pickedWall : wall),
    );
  }

  /** The colour of one building in the layer shown, as the style would have it. */
  #paintOf(properties: Record<string, unknown>): string {
    const layer = this.#layer;
    const paper = colour("map-roof");
    const value = layer?.property ? properties[layer.property] : undefined;
    if (!layer || value === undefined || value === null) return paper;
    if (layer.type === "category") return this.#classes.find((one) => one.value === String(value))?.paint ?? paper;
    return typeof value === "number" ? (this.#classes.findLast((one) => value >= (one.from ?? 0))?.paint ?? paper) : paper;
  }

  /** Show another layer by its key. */
  choose(key: string): void {
    this.#choose(key);
  }

  /** Cast the shadows of this sun; none with null. */
  shade(sun: Sun | null): void {
    const first = this.#shadows.sun === null;
    this.#sun = sun;
    this.#shadows.sun = sun;
    if (first && sun) this.#takeShadows();
    this.#light();
    this.#map?.triggerRepaint();
  }

  /** Light falls from the sun's side, else from the south-west; always as high (see lightOf). */
  #light(): void {
    this.#shadows.paint = colour("map-shade");
    const up = this.#sun && this.#sun.elevation > 0 ? this.#sun : null;
    const azimuth = ((up?.azimuth ?? 200) * Math.PI) / 180;
    const height = (56 * Math.PI) / 180;
    if (this.#roofs) this.#roofs.light = [Math.sin(azimuth) * Math.cos(height), -Math.cos(azimuth) * Math.cos(height), Math.sin(height)];
    if (this.#styled) this.#map?.setLight(lightOf(this.#sun));
  }

  /** Things that report, each as a button on the map. */
  things(reporting: Reporting[]): void {
    this.#reporting = reporting;
    this.#mark();
  }

  #mark(): void {
    const map = this.#map;
    if (!map) return;
    for (const thing of this.#reporting.filter((one) => !this.#marks.has(one.id))) {
      const words = el("span");
      const dots = new Map(thing.parts.map((part) => [part, el("i", { class: "map-dot" })]));
      const button = el("button", { type: "button", class: "pin map-thing-pin" }, thing.title, words, el("span", { class: "map-dots" }, ...dots.values()));
      button.addEventListener("click", () => this.dispatchEvent(new CustomEvent("lc:thing", { bubbles: true, detail: { id: thing.id } })));
      const holder = el("div", { class: "map-pin" }, button);
      new maplibregl.Marker({ element: holder, anchor: "bottom", offset: [0, -16] }).setLngLat([thing.lon, thing.lat]).addTo(map);
      const keep = (): void => inside(map, { ...thing, url: "" }, button);
      for (const event of ["move", "load", "resize"] as const) map.on(event, keep);
      this.#marks.set(thing.id, { words, dots });
    }
    this.dispatchEvent(new Event("lc:marked", { bubbles: true }));
  }

  /** What a thing says now: words beside its name, and the tone of each part's dot. */
  told(id: string, words: string, tones: Record<string, string>): void {
    const mark = this.#marks.get(id);
    if (!mark) return;
    mark.words.textContent = words;
    for (const [part, tone] of Object.entries(tones)) mark.dots.get(part)?.setAttribute("data-tone", tone);
  }

  #keepEye(map: maplibregl.Map): void {
    const { lng, lat } = map.getCenter();
    const eye = [lng.toFixed(5), lat.toFixed(5), map.getZoom().toFixed(2), map.getBearing().toFixed(0), map.getPitch().toFixed(0)];
    address({ eye: eye.join(",") });
  }

  async #load(): Promise<void> {
    const inline = this.#json<Record<string, Features>>("data-geojson") ?? {};
    const jobs = SOURCES.map(async (name) => {
      const src = this.getAttribute(`src-${name}`);
      if (inline[name]) this.#data[name] = inline[name];
      else if (src) {
        const answer = await fetch(src, { credentials: "same-origin" });
        if (!answer.ok) throw new Error(`${src}: ${answer.status}`);
        this.#data[name] = (await answer.json()) as Features;
      }
    });
    await Promise.all(jobs);
  }

  #where(): Partial<maplibregl.MapOptions> {
    const eye = this.hasAttribute("keeps") ? eyeOf(new URLSearchParams(location.search).get("eye")) : null;
    if (eye) return { center: [eye[0]!, eye[1]!], zoom: eye[2]!, bearing: eye[3]!, pitch: Math.min(Math.max(eye[4]!, 0), 70) };
    const given = this.getAttribute("center")?.split(",").map(Number);
    if (given?.length === 2) return { center: [given[0]!, given[1]!], zoom: Number(this.getAttribute("zoom") ?? 15) };
    const pins = this.#flat ? around(this.#json<Pin[]>("data-pins") ?? []) : null;
    if (pins !== null) return { bounds: pins, fitBoundsOptions: { padding: PIN_ROOM, maxZoom: 15 } };
    const all = this.#data["buildings"] ?? this.#data["streets"] ?? this.#data["places"] ?? this.#data["services"];
    const box = all ? bounds(all) : null;
    if (box === null) return { center: [0, 0], zoom: 1 };
    // A tilted view shows more than its box: come nearer than the fit, so that the city fills the frame.
    return { bounds: box, fitBoundsOptions: { padding: 0, maxZoom: 17.2, ...this.#tilt() } };
  }

  #tilt(): { pitch: number; bearing: number } {
    return this.#flat ? { pitch: 0, bearing: 0 } : { pitch: 52, bearing: -24 };
  }

  #style(): maplibregl.StyleSpecification {
    const sources: maplibregl.StyleSpecification["sources"] = {};
    if (this.#tiled) sources["tiles"] = tileSource(this.getAttribute("src-tiles")!);
    for (const name of this.#tiled ? (["places"] as const) : SOURCES) {
      const data = this.#data[name] ?? NO_FEATURES;
      const named = data.features.some((feature) => feature.properties?.["id"] !== undefined);
      sources[name] = { type: "geojson", data, ...(named ? { promoteId: "id" } : { generateId: true }) };
    }
    return {
      version: 8,
      sources,
      light: lightOf(this.#sun),
      layers: this.#tiled ? this.#paint().map((layer) => fromTiles(layer, "places")) : this.#paint(),
    };
  }

  #paint(): maplibregl.LayerSpecification[] {
    const kind: Expression = ["downcase", ["to-string", ["coalesce", ["get", "kind"], ["get", "class"], ["get", "use"], ""]]];
    const water: Expression = ["in", "water", kind];
    const wide: Expression = ["match", ["to-string", ["coalesce", ["get", "kind"], ["get", "class"], ["get", "highway"], ""]],
      ["motorway", "trunk", "primary"], 3.4, ["secondary", "tertiary"], 2.6, ["footway", "path", "steps", "cycleway", "pedestrian"], 0.8, 1.7];
    const width: Expression = ["interpolate", ["exponential", 1.6], ["zoom"], 12, ["*", 0.4, wide], 16, ["*", 2.6, wide], 19, ["*", 12, wide]];
    const wall: Expression = ["case", PICKED, colour("ink-2"), colour("map-wall-a")];
    const solid: maplibregl.FilterSpecification = ["in", ["get", "id"], ["literal", this.#roofs?.keys ?? []]];
    const boxes: { filter?: maplibregl.FilterSpecification } = this.#roofs ? { filter: ["!", solid] as maplibregl.FilterSpecification } : {};
    const opaque = { "fill-extrusion-base": BASE, "fill-extrusion-opacity": 1, "fill-extrusion-vertical-gradient": false };
    return [
      { id: "ground", type: "background", paint: { "background-color": colour("map-ground") } },
      { id: "areas", type: "fill", source: "areas", filter: ["==", ["geometry-type"], "Polygon"],
        paint: { "fill-color": ["case", water, colour("map-water"), colour("map-park")] } },
      { id: "streets", type: "line", source: "streets", layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": colour("map-road"), "line-width": width } },
      ...(this.#roofs ? [{ id: "felt", type: "fill-extrusion", source: "buildings", filter: solid,
        paint: { "fill-extrusion-opacity": 0, "fill-extrusion-height": HEIGHT } } as maplibregl.LayerSpecification] : []),
      { id: "walls", type: "fill-extrusion", source: "buildings", ...boxes,
        paint: { ...opaque, "fill-extrusion-color": wall, "fill-extrusion-height": this.#high(-0.3) } },
      { id: "roofs", type: "fill-extrusion", source: "buildings", ...boxes,
        paint: { ...opaque, "fill-extrusion-color": this.#roof(), "fill-extrusion-base": this.#high(-0.3), "fill-extrusion-height": this.#high(0) } },
      { id: "services", type: "circle", source: "services", minzoom: this.#dotsFrom(),
        paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 13, 2.6, 15, 4, 18, 7], "circle-color": colour("ink-2"),
          "circle-stroke-color": colour("raised"), "circle-stroke-width": 1, "circle-pitch-alignment": "viewport" } },
      { id: "places", type: "circle", source: "places",
        paint: { "circle-radius": 7, "circle-color": colour("act"), "circle-stroke-color": colour("raised"), "circle-stroke-width": 2 } },
    ];
  }

  #dotsFrom(): number {
    return this.#layer?.dots ? 0 : DOTS_FROM_ZOOM;
  }

  #high(less: number): Expression {
    return this.#flat ? ["literal", 0] as unknown as Expression : ["+", HEIGHT, less];
  }

  #roof(): Colour {
    const chosen = this.#shown();
    return ["case", PICKED, this.#pickedPaint(), chosen] as Expression;
  }

  /** The picked building is in ink, which no layer uses but the one of use; there it takes the colour of action. */
  #pickedPaint(): string {
    return colour(this.#layer?.color === "load" ? "removed" : "ink");
  }

  #shown(): Colour {
    const layer = this.#layer;
    const paper = colour("map-roof");
    if (!layer?.property) return paper;
    const value: Expression = ["get", layer.property];
    const classes = this.#classes;
    if (classes.length === 0) return paper;
    if (layer.type === "category") {
      return ["match", ["to-string", value], ...classes.flatMap((one) => [one.value!, one.paint]), paper] as unknown as Expression;
    }
    const stepped = ["step", ["to-number", value, 0], classes[0]!.paint, ...classes.slice(1).flatMap((one) => [one.from!, one.paint])];
    return ["case", ["==", ["typeof", value], "number"], stepped, paper] as unknown as Expression;
  }

  /** Work out the classes of the layer shown, in the colours of now. */
  #classify(): void {
    const layer = this.#layer;
    if (layer?.dots) this.#classes = (layer.values ?? []).map((one) => ({ words: one.label, paint: colour("ink-2") }));
    else this.#classes = !layer?.property ? [] : layer.type === "category" ? categories(layer, this.#data["buildings"]) : steps(layer);
  }

  #drawn(): void {
    this.#map?.once("idle", () => {
      this.#say!.textContent = "";
      if (this.hasAttribute("keeps")) this.#recall();
      this.setAttribute("data-ready", "");
      this.dispatchEvent(new Event("lc:ready", { bubbles: true }));
    });
  }

  /** The server's list is there for those without the map; with the map it waits behind its button. */
  #hide(hidden: boolean): void {
    for (const part of this.#list) part.hidden = hidden;
  }

  #fail(sentence: string): void {
    this.setAttribute("data-failed", "");
    this.#say!.textContent = sentence;
    this.#hide(false);
  }

  #restyle(): void {
    this.#classify();
    this.#map?.setStyle(this.#style(), { diff: true });
    this.#key();
    this.#paintRoofs();
    this.#light();
    if (this.#picked !== null) this.#map?.setFeatureState(this.#place(this.#picked), { picked: true });
  }

  #choose(key: string): void {
    this.#layer = this.#layers.find((layer) => layer.key === key) ?? null;
    this.#classify();
    this.#map?.setPaintProperty("roofs", "fill-extrusion-color", this.#roof());
    this.#paintRoofs();
    this.#map?.setLayerZoomRange("services", this.#dotsFrom(), 24);
    this.#key();
    this.dispatchEvent(new CustomEvent("lc:layer", { bubbles: true, detail: { key } }));
  }

  #key(): void {
    const layer = this.#layer;
    const item = (paint: string, words: string): HTMLLIElement => {
      const sign = el("i");
      sign.style.background = paint;
      return el("li", {}, sign, words);
    };
    const there = layer?.values && !layer.dots ? this.#present(layer) : null;
    const shown = this.#classes.filter((one) => !there || there.has(one.value ?? ""));
    const once = shown.filter((one, at, all) => all.findIndex((other) => other.words === one.words) === at);
    const items = once.map((one) => item(one.paint, one.words));
    if (this.#classes.length > 0 && layer?.missing) items.push(item(colour("map-roof"), layer.missing));
    const title = layer?.title ? [el("li", { class: "map-legend-title" }, layer.title)] : [];
    this.#legend!.replaceChildren(...title, ...items);
    this.#legend!.hidden = items.length === 0;
  }

  /** The values of a layer that buildings have; null where they come in tiles. */
  #present(layer: Layer): Set<string> | null {
    if (this.#tiled || !layer.property) return null;
    return new Set((this.#data["buildings"]?.features ?? []).map((feature) => String(feature.properties?.[layer.property!] ?? "")));
  }

  #view(view: string): void {
    const list = view === "list";
    this.#hide(!list);
    this.toggleAttribute("data-list", list);
    if (list || !this.#map) return;
    const flat = view === "flat";
    if (flat !== this.#flat) {
      this.#flat = flat;
      for (const [layer, less] of [["walls", -0.3], ["roofs", 0]] as const) this.#map.setPaintProperty(layer, "fill-extrusion-height", this.#high(less));
      this.#map.setPaintProperty("roofs", "fill-extrusion-base", this.#high(-0.3));
      this.#map.easeTo(this.#tilt());
    }
    this.#map.resize();
  }

  #pins(map: maplibregl.Map): void {
    for (const pin of this.#json<Pin[]>("data-pins") ?? []) {
      const dot = el("i", { class: `dot c-${pin.color ?? "battery"}` });
      const link = el("a", { class: "pin", href: pin.url }, dot, pin.title, pin.detail ? el("span", {}, pin.detail) : null);
      const holder = el("div", { class: "map-pin" }, link);
      new maplibregl.Marker({ element: holder, anchor: "bottom", offset: [0, -16] }).setLngLat([pin.lon, pin.lat]).addTo(map);
      const keep = (): void => inside(map, pin, link);
      map.on("move", keep);
      map.on("load", keep);
      map.on("resize", keep);
    }
  }

  /** A click chooses a place for the form around; what is typed moves the mark as well. */
  #sets(map: maplibregl.Map): void {
    const fields = (this.getAttribute("sets") ?? "").split(" ").map((id) => document.getElementById(id));
    const [lat, lon] = fields;
    if (!(lat instanceof HTMLInputElement) || !(lon instanceof HTMLInputElement)) return;
    const sign = el("span", { class: "pin" }, el("i", { class: "dot c-battery" }), this.getAttribute("label") ?? "");
    const mark = new maplibregl.Marker({ element: el("div", { class: "map-pin" }, sign), anchor: "bottom", offset: [0, -16] });
    const stand = (): void => {
      const at: [number, number] = [lon.valueAsNumber, lat.valueAsNumber];
      if (Number.isFinite(at[0]) && Math.abs(at[1]) <= 90) mark.setLngLat(at).addTo(map);
      else mark.remove();
    };
    for (const field of [lat, lon]) field.addEventListener("input", stand);
    map.on("click", (event) => {
      lat.value = event.lngLat.lat.toFixed(6);
      lon.value = event.lngLat.lng.toFixed(6);
      stand();
    });
    stand();
  }

  #clicks(map: maplibregl.Map): void {
    const layers = ["roofs", "walls", "felt", "services", "places", "streets"];
    map.on("click", (event) => {
      const reach: [maplibregl.PointLike, maplibregl.PointLike] = [[event.point.x - 4, event.point.y - 4], [event.point.x + 4, event.point.y + 4]];
      const found = map.queryRenderedFeatures(reach, { layers: layers.filter((layer) => map.getLayer(layer)) });
      const hit = found.find((feature) => feature.layer.id !== "streets") ?? found[0];
      if (hit) this.#pick(hit);
    });
    map.on("mousemove", (event) => {
      const over = map.queryRenderedFeatures(event.point, { layers: ["roofs", "walls", "felt", "services", "places"].filter((layer) => map.getLayer(layer)) });
      map.getCanvas().style.cursor = over.length > 0 ? "pointer" : "";
    });
  }

  #place(id: string | number): { source: string; sourceLayer?: string; id: string | number } {
    return this.#tiled ? { source: "tiles", sourceLayer: "buildings", id } : { source: "buildings", id };
  }

  #pick(feature: maplibregl.MapGeoJSONFeature): void {
    const layer = feature.sourceLayer ?? feature.source;
    this.#mind(layer === "buildings" ? (feature.id ?? null) : null);
    const key = feature.properties["id"] ?? feature.id;
    const detail = { source: layer, id: feature.id, properties: feature.properties };
    this.dispatchEvent(new CustomEvent("lc:pick", { bubbles: true, detail }));
    if (this.hasAttribute("keeps") && key !== undefined) address({ pick: `${layer}.${key}` });
    void this.#panel(layer, key === undefined ? null : String(key), feature.properties);
  }

  /** Mark one building as the picked one. */
  #mind(id: string | number | null): void {
    if (this.#picked !== null) this.#map?.setFeatureState(this.#place(this.#picked), { picked: false });
    this.#picked = id;
    if (id !== null) this.#map?.setFeatureState(this.#place(id), { picked: true });
    this.#paintRoofs();
  }

  /** What the address has picked. */
  #recall(): void {
    const [, layer, key] = /^(buildings|streets|services)\.(.+)$/.exec(new URLSearchParams(location.search).get("pick") ?? "") ?? [];
    if (!layer || !key) return;
    if (layer === "buildings") this.#mind(key);
    void this.#panel(layer, key, {});
  }

  /** Let go of what was picked. */
  release(): void {
    this.#mind(null);
    if (this.hasAttribute("keeps")) address({ pick: null });
  }

  async #panel(layer: string, key: string | null, properties: Record<string, unknown>): Promise<void> {
    const panel = this.querySelector<HTMLElement>("[data-map-panel]") ?? document.querySelector<HTMLElement>("[data-map-panel]");
    if (!panel) return;
    panel.setAttribute("aria-live", "polite");
    panel.hidden = false;
    const address_ = this.getAttribute(layer === "buildings" ? "panel-url" : "things-url");
    if (address_ && key !== null) {
      const url = address_.replace("{layer}", layer).replace("{id}", encodeURIComponent(key));
      const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
      if (answer?.ok) panel.innerHTML = await answer.text();
      else if (Object.keys(properties).length > 0) panel.replaceChildren(...facts(properties));
    } else panel.replaceChildren(...facts(properties));
    this.dispatchEvent(new CustomEvent("lc:told", { bubbles: true }));
  }
}

/** The light comes from the sun's side, but always as high: else roofs would no longer have the colours of the legend. */
function lightOf(sun: Sun | null): maplibregl.LightSpecification {
  const position: [number, number, number] = [1.4, sun !== null && sun.elevation > 0 ? sun.azimuth : 200, 34];
  return { anchor: "map", position, intensity: isDark() ? 0.22 : 0.3, color: "#ffffff" };
}

function digitsOf(value: number): number {
  return Number.isInteger(value) ? 0 : digits(value);
}

/** Properties as a heading and facts; what is empty or technical is left out. */
function facts(properties: Record<string, unknown>): Node[] {
  const title = String(properties["name"] ?? properties["title"] ?? properties["address"] ?? word("Without a name"));
  const rows = el("dl", { class: "facts" });
  for (const [key, value] of Object.entries(properties)) {
    if (["id", "name", "title", "url"].includes(key) || value === null || value === "" || typeof value === "object") continue;
    const text = typeof value === "number" ? number(value, digitsOf(value)) : typeof value === "boolean" ? word(value ? "yes" : "no") : String(value);
    rows.append(el("dt", {}, word(key).replaceAll("_", " ")), el("dd", {}, text));
  }
  const url = properties["url"];
  const link = typeof url === "string" && url.startsWith("/") ? el("a", { href: url }, word("Open")) : null;
  return [el("h3", {}, title), rows, ...(link ? [link] : [])];
}

customElements.define("lc-map", CityMap);
