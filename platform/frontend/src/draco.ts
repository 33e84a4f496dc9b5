/**
 * Draco models (KHR_draco_mesh_compression) for GLTFLoader. The work is done by one module worker of our own, so that the
 * page never waits and no script comes from a blob: three's own loader would need one. The worker also gives the normals:
 * smooth over gentle bends, sharp at edges. A geometry that it made says so in `userData.creased`.
 */
import * as THREE from "three";
import type { DRACOLoader } from "three/examples/jsm/loaders/DRACOLoader.js";
import type { Unpacked } from "./draco.worker";

const CREASE_DEG = 29;

type Answer = ({ id: number } & Unpacked) | { id: number; fault: string };

class Unpacker {
  #worker: Worker | null = null;
  #waiting = new Map<number, { done: (found: Unpacked) => void; failed: (why: Error) => void }>();
  #next = 0;

  preload(): this {
    this.#worker ??= this.#start();
    return this;
  }

  /** What GLTFLoader calls for each packed primitive. */
  decodeDracoFile(
    buffer: ArrayBuffer,
    done: (geometry: THREE.BufferGeometry) => void,
    ids: Record<string, number>,
    _types: unknown,
    _space: unknown,
    failed: (why: unknown) => void = () => {},
  ): void {
    this.#ask(buffer, ids["position"] ?? 0).then((found) => {
      const geometry = new THREE.BufferGeometry();
      geometry.setIndex(new THREE.BufferAttribute(found.index, 1));
      geometry.setAttribute("position", new THREE.BufferAttribute(found.position, 3));
      geometry.setAttribute("normal", new THREE.BufferAttribute(found.normal, 3));
      geometry.userData["creased"] = true;
      done(geometry);
    }, failed);
  }

  #ask(buffer: ArrayBuffer, attribute: number): Promise<Unpacked> {
    this.preload();
    const id = this.#next++;
    return new Promise((done, failed) => {
      this.#waiting.set(id, { done, failed });
      this.#worker!.postMessage({ id, buffer, attribute, creaseDeg: CREASE_DEG }, [buffer]);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./draco.worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", (event: MessageEvent<Answer>) => {
      const waits = this.#waiting.get(event.data.id);
      this.#waiting.delete(event.data.id);
      if ("fault" in event.data) waits?.failed(new Error(event.data.fault));
      else waits?.done(event.data);
    });
    worker.addEventListener("error", (event) => {
      for (const waits of this.#waiting.values()) waits.failed(new Error(event.message || "the decoder did not start"));
      this.#waiting.clear();
      worker.terminate();
      this.#worker = null;
    });
    return worker;
  }
}

/** One for the page, whatever the number of models on it; typed as three's loader, of which GLTFLoader uses these two methods. */
export const dracoLoader = new Unpacker() as unknown as DRACOLoader;
