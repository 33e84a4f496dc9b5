/** The part of Google's Draco decoder (Emscripten) that we call. */
declare namespace Draco {
  interface Status {
    ok(): boolean;
    error_msg(): string;
  }
  interface Mesh {
    ptr: number;
    num_faces(): number;
    num_points(): number;
  }
  interface Decoder {
    DecodeArrayToMesh(bytes: Int8Array, size: number, mesh: Mesh): Status;
    GetTrianglesUInt32Array(mesh: Mesh, size: number, at: number): boolean;
    GetAttributeByUniqueId(mesh: Mesh, id: number): unknown;
    GetAttributeDataArrayForAllPoints(mesh: Mesh, attribute: unknown, type: number, size: number, at: number): boolean;
  }
  interface Module {
    Decoder: new () => Decoder;
    Mesh: new () => Mesh;
    HEAPF32: Float32Array<ArrayBuffer>;
    DT_FLOAT32: number;
    destroy(what: unknown): void;
    _malloc(size: number): number;
    _free(at: number): void;
  }
}

declare module "three/examples/jsm/libs/draco/gltf/draco_wasm_wrapper.js" {
  const makeDecoder: (settings: { wasmBinary: ArrayBuffer }) => Promise<Draco.Module>;
  export default makeDecoder;
}
