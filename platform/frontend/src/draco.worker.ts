/** Unpacks Draco buffers away from the page and makes normals with a crease. Google's decoder comes from our own origin. */
import decoderUrl from "three/examples/jsm/libs/draco/gltf/draco_decoder.wasm?url";
import makeDecoder from "three/examples/jsm/libs/draco/gltf/draco_wasm_wrapper.js";

export interface Unpacked {
  index: Uint32Array<ArrayBuffer>;
  position: Float32Array<ArrayBuffer>;
  normal: Float32Array<ArrayBuffer>;
}

interface Asked {
  id: number;
  buffer: ArrayBuffer;
  attribute: number;
  creaseDeg: number;
}

const decoder = fetch(decoderUrl, { credentials: "same-origin" })
  .then((answer) => (answer.ok ? answer.arrayBuffer() : Promise.reject(new Error(String(answer.status)))))
  .then((wasmBinary) => makeDecoder({ wasmBinary }));

function answer(message: unknown, moved: Transferable[] = []): void {
  (self as unknown as { postMessage(what: unknown, moved: Transferable[]): void }).postMessage(message, moved);
}

self.addEventListener("message", (event: MessageEvent<Asked>) => {
  const asked = event.data;
  decoder
    .then((draco) => {
      const { index, position } = unpack(draco, new Int8Array(asked.buffer), asked.attribute);
      const found = creased(index, position, Math.cos((asked.creaseDeg * Math.PI) / 180));
      answer({ id: asked.id, ...found }, [found.index.buffer, found.position.buffer, found.normal.buffer]);
    })
    .catch((cause: unknown) => answer({ id: asked.id, fault: String(cause) }));
});

/** Triangles and points of a buffer. */
function unpack(draco: Draco.Module, bytes: Int8Array, attribute: number): Pick<Unpacked, "index" | "position"> {
  const reader = new draco.Decoder();
  const mesh = new draco.Mesh();
  try {
    const status = reader.DecodeArrayToMesh(bytes, bytes.byteLength, mesh);
    if (!status.ok() || mesh.ptr === 0) throw new Error(status.error_msg());
    const index = copied(draco, mesh.num_faces() * 3 * 4, (size, at) => {
      reader.GetTrianglesUInt32Array(mesh, size, at);
      return new Uint32Array(draco.HEAPF32.buffer, at, size / 4).slice();
    });
    const points = reader.GetAttributeByUniqueId(mesh, attribute);
    const position = copied(draco, mesh.num_points() * 3 * 4, (size, at) => {
      reader.GetAttributeDataArrayForAllPoints(mesh, points, draco.DT_FLOAT32, size, at);
      return new Float32Array(draco.HEAPF32.buffer, at, size / 4).slice();
    });
    return { index, position };
  } finally {
    draco.destroy(mesh);
    draco.destroy(reader);
  }
}

function copied<T>(draco: Draco.Module, size: number, read: (size: number, at: number) => T): T {
  const at = draco._malloc(size);
  try {
    return read(size, at);
  } finally {
    draco._free(at);
  }
}

/**
 * Each corner gets the mean, weighted by area, of the triangles around its point that bend less than the crease. Corners of
 * a point whose normals are alike (to one part in 64) stay one corner, so that the index stays.
 */
function creased(index: Uint32Array, points: Float32Array, limit: number): Unpacked {
  const triangles = index.length / 3;
  const [flat, area] = faceNormals(index, points);
  const starts = new Uint32Array(points.length / 3 + 1);
  for (const point of index) starts[point + 1]!++;
  for (let at = 1; at < starts.length; at++) starts[at]! += starts[at - 1]!;
  const around = new Uint32Array(index.length);
  const filled = starts.slice();
  for (let corner = 0; corner < index.length; corner++) around[filled[index[corner]!]!++] = corner;
  const position: number[] = [];
  const normal: number[] = [];
  const renumbered = new Uint32Array(triangles * 3);
  const known = new Map<number, number>();
  for (let point = 0; point + 1 < starts.length; point++) {
    const from = starts[point]!;
    const to = starts[point + 1]!;
    known.clear();
    for (let at = from; at < to; at++) {
      const face = (around[at]! / 3) | 0;
      const own = face * 3;
      let x = 0;
      let y = 0;
      let z = 0;
      // Fans of very many triangles keep flat normals: pairs grow with their square.
      const last = to - from > 96 ? from : to;
      for (let other = from; other < last; other++) {
        const near = (around[other]! / 3) | 0;
        const its = near * 3;
        const along = flat[own]! * flat[its]! + flat[own + 1]! * flat[its + 1]! + flat[own + 2]! * flat[its + 2]!;
        if (near !== face && along <= limit) continue;
        x += flat[its]! * area[near]!;
        y += flat[its + 1]! * area[near]!;
        z += flat[its + 2]! * area[near]!;
      }
      const length = Math.hypot(x, y, z);
      if (length > 0) {
        x /= length;
        y /= length;
        z /= length;
      } else {
        x = flat[own]!;
        y = flat[own + 1]!;
        z = flat[own + 2]!;
      }
      const key = ((Math.round(x * 64) + 64) * 129 + Math.round(y * 64) + 64) * 129 + Math.round(z * 64) + 64;
      let corner = known.get(key);
      if (corner === undefined) {
        corner = position.length / 3;
        known.set(key, corner);
        position.push(points[point * 3]!, points[point * 3 + 1]!, points[point * 3 + 2]!);
        normal.push(x, y, z);
      }
      renumbered[around[at]!] = corner;
    }
  }
  return { index: renumbered, position: new Float32Array(position), normal: new Float32Array(normal) };
}

function faceNormals(index: Uint32Array, points: Float32Array): [Float32Array, Float32Array] {
  const flat = new Float32Array(index.length);
  const area = new Float32Array(index.length / 3);
  for (let face = 0; face < area.length; face++) {
    const a = index[face * 3]! * 3;
    const b = index[face * 3 + 1]! * 3;
    const c = index[face * 3 + 2]! * 3;
    const ux = points[b]! - points[a]!;
    const uy = points[b + 1]! - points[a + 1]!;
    const uz = points[b + 2]! - points[a + 2]!;
    const vx = points[c]! - points[a]!;
    const vy = points[c + 1]! - points[a + 1]!;
    const vz = points[c + 2]! - points[a + 2]!;
    const x = uy * vz - uz * vy;
    const y = uz * vx - ux * vz;
    const z = ux * vy - uy * vx;
    const length = Math.hypot(x, y, z);
    area[face] = length / 2;
    const by = length > 0 ? 1 / length : 0;
    flat[face * 3] = x * by;
    flat[face * 3 + 1] = y * by;
    flat[face * 3 + 2] = z * by;
  }
  return [flat, area];
}
