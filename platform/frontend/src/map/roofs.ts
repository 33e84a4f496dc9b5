/**
 * Buildings of a 3D model with their roofs as they are: triangles from our server (twin/engine/mesh.py says the form),
 * drawn among the map's own extrusions. Faces get their light from how they stand to the sun.
 */
import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from "maplibre-gl";
import { channels, placed, program } from "./matrix";

interface Header {
  origin: [number, number];
  metre: number;
  step: number;
  keys: string[];
  first: number[];
}

const VERTEX = `#version 300 es
uniform mat4 u_matrix; uniform float u_step; in vec4 a_at; in vec4 a_colour; out vec3 v_at; out vec4 v_colour;
void main() { v_at = a_at.xyz * u_step; v_colour = a_colour; gl_Position = u_matrix * vec4(v_at, 1.0); }`;
const FRAGMENT = `#version 300 es
precision highp float; uniform vec3 u_light; in vec3 v_at; in vec4 v_colour; out vec4 o_colour;
void main() {
  vec3 face = normalize(cross(dFdy(v_at), dFdx(v_at))); // towards the eye: south counts up here, so the hand is changed
  float lit = max(dot(face, u_light), 0.0);
  o_colour = vec4(min(v_colour.rgb * (0.74 + 0.30 * lit), 1.0), 1.0);
}`;

export class Roofs implements CustomLayerInterface {
  readonly id = "solids";
  readonly type = "custom";
  readonly renderingMode = "3d";
  readonly keys: string[];
  light: [number, number, number] = [0.3, 0.6, 0.74]; // east, south, up
  #head: Header;
  #corners: Int16Array;
  #colours: Uint8Array;
  #map: MapLibre | null = null;
  #gl: WebGL2RenderingContext | null = null;
  #program: WebGLProgram | null = null;
  #buffers: [WebGLBuffer, WebGLBuffer] | null = null;
  #stale = true;

  constructor(data: ArrayBuffer) {
    const view = new DataView(data);
    if (view.getUint32(0, false) !== 0x4c434d31) throw new Error("not a mesh of ours");
    const length = view.getUint32(4, true);
    this.#head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 8, length))) as Header;
    this.#corners = new Int16Array(data, 8 + length);
    this.#colours = new Uint8Array(this.#corners.length);
    this.keys = this.#head.keys;
  }

  /** Paint each building: its roof by its key, its walls alike. */
  colour(roof: (key: string) => string, wall: (key: string) => string): void {
    const { keys, first } = this.#head;
    keys.forEach((key, n) => {
      const [up, side] = [channels(roof(key)), channels(wall(key))];
      const end = first[n + 1] ?? this.#corners.length / 4;
      for (let corner = first[n]!; corner < end; corner++) {
        const paint = this.#corners[corner * 4 + 3] === 1 ? up : side;
        for (let part = 0; part < 3; part++) this.#colours[corner * 4 + part] = Math.round(paint[part]! * 255);
      }
    });
    this.#stale = true;
    this.#map?.triggerRepaint();
  }

  onAdd(map: MapLibre, context: WebGLRenderingContext | WebGL2RenderingContext): void {
    const gl = context as WebGL2RenderingContext;
    this.#map = map;
    this.#gl = gl;
    this.#program = program(gl, VERTEX, FRAGMENT);
    this.#buffers = [gl.createBuffer(), gl.createBuffer()];
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffers[0]);
    gl.bufferData(gl.ARRAY_BUFFER, this.#corners, gl.STATIC_DRAW);
    this.#stale = true;
  }

  render(_context: WebGLRenderingContext | WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    const [gl, with_, buffers] = [this.#gl, this.#program, this.#buffers];
    if (!gl || !with_ || !buffers) return;
    gl.useProgram(with_);
    if (this.#stale) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[1]);
      gl.bufferData(gl.ARRAY_BUFFER, this.#colours, gl.DYNAMIC_DRAW);
      this.#stale = false;
    }
    const matrix = placed(input.defaultProjectionData.mainMatrix as unknown as ArrayLike<number>, this.#head.origin, this.#head.metre);
    gl.uniformMatrix4fv(gl.getUniformLocation(with_, "u_matrix"), false, matrix);
    gl.uniform1f(gl.getUniformLocation(with_, "u_step"), this.#head.step);
    gl.uniform3fv(gl.getUniformLocation(with_, "u_light"), this.light);
    this.#bind(gl, with_, "a_at", buffers[0], gl.SHORT, false);
    this.#bind(gl, with_, "a_colour", buffers[1], gl.UNSIGNED_BYTE, true);
    gl.disable(gl.CULL_FACE);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.BLEND);
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.depthMask(true);
    gl.drawArrays(gl.TRIANGLES, 0, this.#corners.length / 4);
  }

  #bind(gl: WebGL2RenderingContext, with_: WebGLProgram, name: string, buffer: WebGLBuffer, type: number, even: boolean): void {
    const place = gl.getAttribLocation(with_, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, 4, type, even, 0, 0);
  }
}
