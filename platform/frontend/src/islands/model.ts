/**
 * <lc-model src="body.glb" label="The clamp: …"><img src="body.png" alt="…"></lc-model>
 *
 * A GLB in metres (glTF), turned by mouse, finger, arrow keys and buttons; size in mm, section, edges. Without script
 * the picture inside stays. `up="z"` for files whose z axis points up. Nodes named added…, removed… and same… take the
 * colours of change; `view="overlay|side|swipe"` offers the ways to look at a difference (see shape-diff), `pins` and
 * `pinnable` remarks on spots (see pins). Sets data-ready when drawn, data-failed with words in it when it cannot be.
 */
import "../styles/island-model.css";
import * as THREE from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";
import { toCreasedNormals } from "three/examples/jsm/utils/BufferGeometryUtils.js";
import { colour, el, GAP, lengthMm, toggle, tool } from "../dom";
import { Pins } from "../pins";
import { DiffViews, layerOf, type Layer, type Side, type View, VIEWS } from "../shape-diff";
import { onThemeChange } from "../theme";
import { word } from "../words";

const TURN = Math.PI / 12;
const CREASE = Math.PI / 6;
const CREASE_MOST_VERTICES = 400_000;
const EDGES_MOST_TRIANGLES = 150_000;
const HOME = new THREE.Vector3(0.9, 0.62, 1).normalize();
const PART_COLOURS = ["#7c9888", "#8b9391", "#7b8794", "#a3a08f", "#6f8f94"];
const CHANGES: Record<string, string> = { added: "added", removed: "removed", same: "change-same" };
const CLEAR = 0.22;

interface Part {
  mesh: THREE.Mesh;
  paint: THREE.MeshStandardMaterial;
  inside: THREE.Mesh;
  edges: THREE.LineSegments | null;
  token: string | null;
  layer: Layer | null;
}

/** A copy with plain floats: quantised files (KHR_mesh_quantization) hold integers, which a matrix would cut to nothing. */
function unpacked(source: THREE.BufferGeometry): THREE.BufferGeometry {
  const copy = new THREE.BufferGeometry();
  if (source.index) copy.setIndex(source.index.clone());
  for (const [name, packed] of Object.entries(source.attributes)) {
    const values = new Float32Array(packed.count * packed.itemSize);
    for (let at = 0; at < packed.count; at++) {
      for (let part = 0; part < packed.itemSize; part++) values[at * packed.itemSize + part] = packed.getComponent(at, part);
    }
    copy.setAttribute(name, new THREE.BufferAttribute(values, packed.itemSize));
  }
  return copy;
}

class Model extends HTMLElement {
  static observedAttributes = ["src", "view", "pins"];
  #stage: HTMLDivElement | null = null;
  #canvas: HTMLCanvasElement | null = null;
  #say: HTMLParagraphElement | null = null;
  #slider: HTMLInputElement | null = null;
  #renderer: THREE.WebGLRenderer | null = null;
  #scene = new THREE.Scene();
  #camera = new THREE.PerspectiveCamera(32, 4 / 3, 0.001, 1000);
  #controls: OrbitControls | null = null;
  #body = new THREE.Group();
  #parts: Part[] = [];
  #size = new THREE.Vector3();
  #reach = 1;
  #cut = new THREE.Plane(new THREE.Vector3(-1, 0, 0), 0);
  #cutting = false;
  #frame = 0;
  #stops: (() => void)[] = [];
  #asked = "";
  #diff: DiffViews | null = null;
  #pins: Pins | null = null;
  #origin = new THREE.Vector3();

  connectedCallback(): void {
    if (this.#stage) return;
    this.#build();
    void this.#open();
  }

  disconnectedCallback(): void {
    for (const stop of this.#stops) stop();
    this.#stops = [];
    cancelAnimationFrame(this.#frame);
    this.#clear();
    this.#controls?.dispose();
    this.#renderer?.dispose();
    this.#renderer?.forceContextLoss();
    this.#stage?.remove();
    this.#stage = null;
  }

  attributeChangedCallback(name: string, before: string | null, now: string | null): void {
    if (!this.#stage || before === now) return;
    if (name === "src") void this.#open();
    else if (name === "pins") {
      this.#pins?.read();
      this.#draw();
    } else this.#look(now);
  }

  #look(view: string | null): void {
    if (!this.#diff || !view || !VIEWS.includes(view)) return;
    this.#diff.choose(view as View);
    this.#fit();
    this.#home();
  }

  /** The links that choose a view work without script; with it they change this model in place. */
  #followLinks(): void {
    const links = [...(this.closest(".compare")?.querySelectorAll<HTMLAnchorElement>("a[data-view]") ?? [])];
    for (const link of links) {
      const choose = (event: MouseEvent): void => {
        if (event.ctrlKey || event.metaKey || event.shiftKey || this.hasAttribute("data-failed")) return;
        event.preventDefault();
        for (const other of links) other.toggleAttribute("aria-current", false);
        link.setAttribute("aria-current", "true");
        history.replaceState(null, "", link.href);
        this.setAttribute("view", link.dataset["view"]!);
      };
      link.addEventListener("click", choose);
      this.#stops.push(() => link.removeEventListener("click", choose));
    }
  }

  #build(): void {
    const label = this.getAttribute("label") ?? this.querySelector("img")?.alt ?? word("A model in three dimensions");
    this.#canvas = el("canvas", { tabindex: "0", role: "img", "aria-label": `${label}. ${word("Arrow keys turn it, plus and minus zoom, 0 goes back.")}` });
    this.#say = el("p", { class: "model-say", role: "status" });
    this.#slider = el("input", { type: "range", min: "0", max: "100", value: "50", hidden: "", "aria-label": word("Where the section is") });
    this.#slider.addEventListener("input", () => this.#placeCut());
    const turns = el(
      "div",
      { class: "model-turns", role: "group", "aria-label": word("Turn and zoom") },
      tool("left", word("Turn left"), () => this.#turn(-TURN, 0)),
      tool("right", word("Turn right"), () => this.#turn(TURN, 0)),
      tool("up", word("From above"), () => this.#turn(0, -TURN)),
      tool("down", word("From below"), () => this.#turn(0, TURN)),
      tool("plus", word("Nearer"), () => this.#zoom(0.8)),
      tool("minus", word("Farther"), () => this.#zoom(1.25)),
      tool("turn", word("As at first"), () => this.#home()),
    );
    const views = el(
      "div",
      { class: "seg", role: "group", "aria-label": word("View") },
      toggle(word("Section"), false, (on) => this.#section(on)),
      toggle(word("Wires"), false, (on) => this.#wires(on)),
    );
    const view = this.getAttribute("view");
    if (view !== null) {
      this.#diff = new DiffViews(VIEWS.includes(view) ? (view as View) : "overlay", () => this.#draw(), (on) => this.#seeThrough(on));
      this.#followLinks();
    }
    if (this.hasAttribute("pins") || this.hasAttribute("pinnable")) {
      this.#pins = new Pins(this, () => this.#draw());
      if (!this.#pins.button.hidden) views.append(this.#pins.button);
    }
    const foot = el("div", { class: "model-foot" }, this.#say, this.#diff?.slide, this.#diff?.tools, this.#slider, el("div", { class: "model-tools" }, turns, views));
    this.#stage = el("div", { class: "model-stage" }, this.#canvas, this.#diff?.names, this.#diff?.line, this.#pins?.layer, foot);
    this.append(this.#stage);
  }

  #start(): boolean {
    if (this.#renderer) return true;
    try {
      this.#renderer = new THREE.WebGLRenderer({ canvas: this.#canvas!, antialias: true, alpha: true });
    } catch {
      this.#fail(word("This browser cannot draw in three dimensions; the picture shows the shape."));
      return false;
    }
    const renderer = this.#renderer;
    renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    renderer.toneMapping = THREE.NeutralToneMapping;
    renderer.shadowMap.enabled = true;
    renderer.shadowMap.type = THREE.PCFShadowMap;
    this.#controls = new OrbitControls(this.#camera, this.#canvas!);
    this.#controls.enableDamping = false;
    // The wheel scrolls the page until the model has the focus; no trap on the way down.
    this.#controls.enableZoom = false;
    this.#canvas!.style.touchAction = "pan-y";
    this.#controls.addEventListener("change", () => this.#draw());
    this.#canvas!.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#canvas!.addEventListener("keydown", (event) => this.#key(event));
    this.#canvas!.addEventListener("click", (event) => this.#pick(event.clientX, event.clientY));
    this.#scene.add(this.#body);
    const sizes = new ResizeObserver(() => this.#fit());
    sizes.observe(this.#stage!);
    this.#stops.push(() => sizes.disconnect(), onThemeChange(() => this.#paint()));
    return true;
  }

  async #open(): Promise<void> {
    const src = this.getAttribute("src") ?? "";
    this.#asked = src;
    this.removeAttribute("data-ready");
    this.removeAttribute("data-failed");
    if (!src) return this.#fail(word("There is no model to show."));
    this.#say!.textContent = word("Loading the model…");
    try {
      const answer = await fetch(src, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const scene = await this.#parse(await answer.arrayBuffer());
      if (this.#asked !== src || !this.#stage || !this.#start()) return;
      this.#clear();
      this.#take(scene);
      this.#fit();
      this.#home();
      this.#paint();
      this.#show();
    } catch (cause) {
      console.debug("lc-model:", cause);
      if (this.#asked === src) this.#fail(word("We could not draw this model. The file is safe and can be downloaded."));
    }
  }

  async #parse(bytes: ArrayBuffer): Promise<THREE.Group> {
    const loader = new GLTFLoader();
    const head = new TextDecoder().decode(bytes.slice(0, Math.min(bytes.byteLength, 65_536)));
    if (head.includes("EXT_meshopt_compression")) {
      const { MeshoptDecoder } = await import("three/examples/jsm/libs/meshopt_decoder.module.js");
      loader.setMeshoptDecoder(MeshoptDecoder);
    }
    if (head.includes("KHR_draco_mesh_compression")) loader.setDRACOLoader((await import("../draco")).dracoLoader);
    return (await loader.parseAsync(bytes, "")).scene;
  }

  #take(scene: THREE.Group): void {
    if (this.getAttribute("up") === "z") scene.rotation.x = -Math.PI / 2;
    scene.updateMatrixWorld(true);
    const meshes: THREE.Mesh[] = [];
    this.#origin.set(0, 0, 0);
    scene.traverse((node) => {
      const origin = node.userData["origin_mm"] as number[] | undefined;
      if (origin?.length === 3) this.#origin.fromArray(origin);
      if (node instanceof THREE.Mesh) meshes.push(node);
    });
    if (meshes.length === 0) throw new Error("no mesh");
    meshes.forEach((mesh, at) => this.#addPart(mesh, at));
    const box = new THREE.Box3().setFromObject(this.#body);
    box.getSize(this.#size);
    const centre = box.getCenter(new THREE.Vector3());
    this.#body.position.set(-centre.x, -box.min.y, -centre.z);
    this.#reach = Math.max(this.#size.length() / 2, 1e-6);
    this.#light();
  }

  #addPart(source: THREE.Mesh, at: number): void {
    let shape = unpacked(source.geometry).applyMatrix4(source.matrixWorld);
    const triangles = (shape.index?.count ?? shape.attributes["position"]!.count) / 3;
    if (!source.geometry.userData["creased"] && triangles * 3 <= CREASE_MOST_VERTICES) {
      for (const name of Object.keys(shape.attributes)) {
        if (name !== "position" && name !== "color") shape.deleteAttribute(name);
      }
      shape = toCreasedNormals(shape, CREASE);
    } else if (!shape.attributes["normal"]) shape.computeVertexNormals();
    const given = (Array.isArray(source.material) ? source.material[0] : source.material) as THREE.MeshStandardMaterial;
    const named = `${source.name || source.parent?.name || ""}`;
    const layer = this.#diff || /^(added|removed|same)/.test(named) ? layerOf(named) : null;
    const coloured = Boolean(shape.attributes["color"]) || (given?.color && given.color.getHex() !== 0xffffff);
    const paint = new THREE.MeshStandardMaterial({
      color: coloured ? given.color : new THREE.Color(PART_COLOURS[at % PART_COLOURS.length]),
      vertexColors: Boolean(shape.attributes["color"]),
      roughness: 0.72,
      metalness: 0.02,
    });
    const mesh = new THREE.Mesh(shape, paint);
    mesh.castShadow = mesh.receiveShadow = true;
    const inside = new THREE.Mesh(shape, new THREE.MeshBasicMaterial({ side: THREE.BackSide }));
    inside.visible = false;
    const edges =
      triangles <= EDGES_MOST_TRIANGLES
        ? new THREE.LineSegments(new THREE.EdgesGeometry(shape, 28), new THREE.LineBasicMaterial({ transparent: true, opacity: 0.22 }))
        : null;
    this.#body.add(mesh, inside);
    if (edges) this.#body.add(edges);
    this.#parts.push({ mesh, paint, inside, edges, token: CHANGES[layer?.kind ?? ""] ?? null, layer });
  }

  #light(): void {
    const reach = this.#reach;
    const key = new THREE.DirectionalLight(0xfffaf0, 2.2);
    key.position.set(-0.7 * reach, 2.6 * reach, 1.5 * reach);
    key.castShadow = true;
    key.shadow.mapSize.set(2048, 2048);
    key.shadow.radius = 6;
    key.shadow.normalBias = reach * 0.004;
    const box = key.shadow.camera;
    box.left = box.bottom = -1.7 * reach;
    box.right = box.top = 1.7 * reach;
    box.near = 0.01 * reach;
    box.far = 7 * reach;
    const fill = new THREE.DirectionalLight(0xdfe9ff, 1.1);
    fill.position.set(2 * reach, 0.8 * reach, -0.4 * reach);
    const sky = new THREE.HemisphereLight(0xffffff, 0xa9b3ac, 1.6);
    const ground = new THREE.Mesh(new THREE.CircleGeometry(4 * reach, 64), new THREE.ShadowMaterial({ opacity: 0.16 }));
    ground.rotation.x = -Math.PI / 2;
    ground.position.y = -0.002 * reach;
    ground.receiveShadow = true;
    const stage = new THREE.Group();
    stage.name = "stage";
    stage.add(key, key.target, fill, sky, ground);
    key.target.position.set(0, this.#size.y / 2, 0);
    this.#scene.add(stage);
  }

  #clear(): void {
    for (const part of this.#parts) {
      part.mesh.geometry.dispose();
      part.paint.dispose();
      (part.inside.material as THREE.Material).dispose();
      part.edges?.geometry.dispose();
    }
    this.#parts = [];
    this.#body.clear();
    this.#body.position.set(0, 0, 0);
    this.#scene.getObjectByName("stage")?.removeFromParent();
  }

  #paint(): void {
    for (const part of this.#parts) {
      if (part.token) part.paint.color.set(colour(part.token));
      (part.inside.material as THREE.MeshBasicMaterial).color.set(colour("act"));
      (part.edges?.material as THREE.LineBasicMaterial | undefined)?.color.set(colour("ink"));
    }
    this.#draw();
  }

  #show(): void {
    const [across, deep, high] = [this.#size.x, this.#size.z, this.#size.y].map((metres) => lengthMm(metres * 1000));
    this.#say!.textContent = `${across}${GAP}×${GAP}${deep}${GAP}×${GAP}${high}${GAP}mm`;
    this.#say!.title = word("Wide, deep, high");
    this.#renderNow();
    this.setAttribute("data-ready", "");
    this.dispatchEvent(new Event("lc:ready", { bubbles: true }));
  }

  #fail(sentence: string): void {
    this.#say!.textContent = sentence;
    this.setAttribute("data-failed", "");
  }

  #fit(): void {
    const width = this.#canvas?.clientWidth ?? 0;
    const height = this.#canvas?.clientHeight ?? 0;
    if (!this.#renderer || width === 0 || height === 0) return;
    this.#renderer.setSize(width, height, false);
    this.#stage!.classList.toggle("stacked", this.#diff?.view === "side" && this.#diff.stacked(width));
    this.#stage!.classList.toggle("halved", this.#diff?.view === "side" && !this.#diff.stacked(width));
    for (const over of this.#diff ? [this.#diff.line, this.#diff.names] : []) over.style.blockSize = `${height}px`;
    const [, , wide, high] = this.#diff?.panes(width, height)[0]!.look ?? [0, 0, width, height];
    this.#camera.aspect = wide / high;
    this.#camera.updateProjectionMatrix();
    this.#draw();
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#renderNow());
  }

  #renderNow(): void {
    const renderer = this.#renderer;
    if (!renderer) return;
    const width = this.#canvas!.clientWidth;
    const height = this.#canvas!.clientHeight;
    const panes = this.#diff?.panes(width, height) ?? [];
    if (!panes.length) renderer.render(this.#scene, this.#camera);
    for (const pane of panes) {
      this.#dress(pane.side);
      renderer.setScissorTest(true);
      renderer.setViewport(...pane.look);
      renderer.setScissor(...pane.cut);
      if (pane.cut[2] > 0 && pane.cut[3] > 0) renderer.render(this.#scene, this.#camera);
    }
    this.#pins?.place((point) => this.#projected(point, width, height));
  }

  #dress(side: Side | null): void {
    for (const part of this.#parts) {
      const seen = this.#diff?.shows(part.layer, side) ?? true;
      part.mesh.visible = seen;
      part.inside.visible = seen && this.#cutting;
      if (part.edges) part.edges.visible = seen;
    }
  }

  #seeThrough(on: boolean): void {
    for (const part of this.#parts) {
      if (!part.layer || part.layer.rank > 0 || part.layer.kind === "added" || part.layer.kind === "removed") continue;
      part.paint.transparent = on;
      part.paint.opacity = on ? CLEAR : 1;
      part.paint.depthWrite = !on;
      part.mesh.castShadow = part.mesh.receiveShadow = !on;
      part.paint.needsUpdate = true;
    }
    this.#draw();
  }

  /** Shares of the stage from its upper left where a point (mm in the file) is seen; on the last pane that shows it. */
  #projected(point: [number, number, number], width: number, height: number): [number, number] | null {
    const [x, y, z] = point.map((value, axis) => (value - this.#origin.getComponent(axis)) / 1000) as [number, number, number];
    const seen = new THREE.Vector3(x, z, -y).add(this.#body.position).project(this.#camera);
    if (Math.abs(seen.x) > 1 || Math.abs(seen.y) > 1 || seen.z > 1) return null;
    const panes = this.#diff?.panes(width, height) ?? [];
    const [left, bottom, wide, high] = panes[panes.length - 1]?.look ?? [0, 0, width, height];
    return [(left + ((seen.x + 1) / 2) * wide) / width, 1 - (bottom + ((seen.y + 1) / 2) * high) / height];
  }

  /** Where somebody pointed on the shape, if they were asked to. */
  #pick(clientX: number, clientY: number): void {
    if (!this.#pins?.pointing) return;
    const box = this.#canvas!.getBoundingClientRect();
    const x = clientX - box.left;
    const y = box.height - (clientY - box.top);
    const inside = ([left, bottom, wide, high]: number[]): boolean => x >= left! && x <= left! + wide! && y >= bottom! && y <= bottom! + high!;
    const pane = this.#diff?.panes(box.width, box.height).find(({ cut }) => inside(cut));
    const [left, bottom, wide, high] = pane?.look ?? [0, 0, box.width, box.height];
    this.#dress(pane?.side ?? null);
    const caster = new THREE.Raycaster();
    caster.setFromCamera(new THREE.Vector2(((x - left) / wide) * 2 - 1, ((y - bottom) / high) * 2 - 1), this.#camera);
    const hit = caster.intersectObjects(this.#parts.filter(({ mesh }) => mesh.visible).map(({ mesh }) => mesh), false)[0];
    if (!hit) return;
    const there = hit.point.clone().sub(this.#body.position).multiplyScalar(1000);
    this.#pins.take([there.x + this.#origin.x, -there.z + this.#origin.y, there.y + this.#origin.z]);
  }

  #home(): void {
    const half = THREE.MathUtils.degToRad(this.#camera.fov / 2);
    const narrow = Math.min(1, this.#camera.aspect);
    const far = (this.#reach / Math.sin(half) / narrow) * 1.04;
    // A little below the middle, so that the body stands above the buttons.
    const target = new THREE.Vector3(0, this.#size.y / 2 - this.#reach * 0.12, 0);
    this.#controls?.target.copy(target);
    this.#camera.position.copy(target).addScaledVector(HOME, far);
    this.#camera.near = far / 200;
    this.#camera.far = far * 12;
    this.#camera.updateProjectionMatrix();
    this.#controls?.update();
    this.#draw();
  }

  #turn(across: number, down: number): void {
    if (!this.#controls) return;
    const away = this.#camera.position.clone().sub(this.#controls.target);
    const ball = new THREE.Spherical().setFromVector3(away);
    ball.theta += across;
    ball.phi = THREE.MathUtils.clamp(ball.phi + down, 0.05, Math.PI - 0.05);
    this.#camera.position.copy(this.#controls.target).add(away.setFromSpherical(ball));
    this.#controls.update();
    this.#draw();
  }

  #zoom(by: number): void {
    if (!this.#controls) return;
    const away = this.#camera.position.clone().sub(this.#controls.target);
    away.setLength(THREE.MathUtils.clamp(away.length() * by, this.#reach * 0.3, this.#reach * 12));
    this.#camera.position.copy(this.#controls.target).add(away);
    this.#controls.update();
    this.#draw();
  }

  #wheel(event: WheelEvent): void {
    if (!event.ctrlKey && document.activeElement !== this.#canvas) return;
    event.preventDefault();
    this.#zoom(event.deltaY > 0 ? 1.1 : 1 / 1.1);
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#diff?.key(event)) return event.preventDefault();
    if (event.key === "Enter" && this.#pins?.pointing) {
      const box = this.#canvas!.getBoundingClientRect();
      return this.#pick(box.left + box.width / 2, box.top + box.height / 2);
    }
    const keys: Record<string, () => void> = {
      ArrowLeft: () => this.#turn(-TURN, 0),
      ArrowRight: () => this.#turn(TURN, 0),
      ArrowUp: () => this.#turn(0, -TURN),
      ArrowDown: () => this.#turn(0, TURN),
      "+": () => this.#zoom(0.8),
      "=": () => this.#zoom(0.8),
      "-": () => this.#zoom(1.25),
      "0": () => this.#home(),
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  #section(on: boolean): void {
    this.#cutting = on;
    this.#slider!.hidden = !on;
    if (this.#renderer) this.#renderer.localClippingEnabled = on;
    const planes = on ? [this.#cut] : [];
    for (const part of this.#parts) {
      part.paint.clippingPlanes = planes;
      (part.inside.material as THREE.Material).clippingPlanes = planes;
      part.inside.visible = on;
      if (part.edges) (part.edges.material as THREE.Material).clippingPlanes = planes;
      part.paint.needsUpdate = true;
    }
    this.#placeCut();
  }

  #placeCut(): void {
    if (!this.#cutting) return this.#draw();
    // The cut moves from right to left across the width of the body; what is right of it is taken away.
    const share = Number(this.#slider!.value) / 100;
    this.#cut.constant = this.#size.x * (share - 0.5);
    this.#slider!.style.setProperty("--p", `${share * 100}%`);
    this.#draw();
  }

  #wires(on: boolean): void {
    for (const part of this.#parts) part.paint.wireframe = on;
    this.#draw();
  }
}

customElements.define("lc-model", Model);
