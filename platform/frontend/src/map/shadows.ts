/**
 * Shadows on level ground, drawn by the graphics card from outlines and heights, so that they follow a slider.
 *
 * A building's shadow is its outline, shifted away from the sun, with all that its walls sweep over. The shifted outlines
 * are counted in the stencil by winding (fans of triangles, so no outline has to be cut up), the walls' sweeps are added,
 * and what was counted at all is darkened once: shadows that overlap are not darker. Buildings are drawn over it.
 */
import { MercatorCoordinate, type CustomLayerInterface, type CustomRenderMethodInput, type Map as MapLibre } from "maplibre-gl";
import { channels, placed, program } from "./matrix";

export interface Sun {
  azimuth: number;
  elevation: number;
}

const LOWEST = 2; // degrees: a lower sun casts shadows as one that high, else they leave the city
const VERTEX = `#version 300 es
uniform mat4 u_matrix; uniform vec2 u_cast; in vec3 a_at;
void main() { gl_Position = u_matrix * vec4(a_at.xy + u_cast * a_at.z, 0.0, 1.0); }`;
const WHOLE = `#version 300 es
in vec2 a_at; void main() { gl_Position = vec4(a_at, 0.0, 1.0); }`;
const FRAGMENT = `#version 300 es
precision mediump float; uniform vec4 u_colour; out vec4 o_colour;
void main() { o_colour = u_colour; }`;

type Ring = number[][];

export class Shadows implements CustomLayerInterface {
  readonly id = "shade";
  readonly type = "custom";
  readonly renderingMode = "2d";
  sun: Sun | null = null;
  paint = "rgb(0 0 0 / .3)";
  #origin: [number, number] = [0.5, 0.5];
  #metre = 1;
  #fans = new Float32Array(0);
  #walls = new Float32Array(0);
  #map: MapLibre | null = null;
  #gl: WebGL2RenderingContext | null = null;
  #cast: WebGLProgram | null = null;
  #cover: WebGLProgram | null = null;
  #buffers: [WebGLBuffer, WebGLBuffer, WebGLBuffer] | null = null;
  #stale = true;

  /** Take outlines with heights: polygons of lon and lat. */
  take(features: readonly GeoJSON.Feature[], height: (properties: GeoJSON.GeoJsonProperties) => number): void {
    const fans: number[] = [];
    const walls: number[] = [];
    let origin: MercatorCoordinate | null = null;
    for (const feature of features) {
      const shape = feature.geometry;
      const polygons = shape.type === "Polygon" ? [shape.coordinates] : shape.type === "MultiPolygon" ? shape.coordinates : [];
      const high = height(feature.properties);
      for (const polygon of polygons) {
        polygon.forEach((ring, number) => {
          if (ring.length < 4) return;
          if (origin === null) {
            origin = MercatorCoordinate.fromLngLat([ring[0]![0]!, ring[0]![1]!]);
            this.#origin = [origin.x, origin.y];
            this.#metre = origin.meterInMercatorCoordinateUnits();
          }
          stand(this.#flat(ring, number === 0), high, fans, walls);
        });
      }
    }
    this.#fans = new Float32Array(fans);
    this.#walls = new Float32Array(walls);
    this.#stale = true;
    this.#map?.triggerRepaint();
  }

  /** A ring in metres around the origin without its closing point: outer ones turn one way, holes the other. */
  #flat(ring: Ring, outer: boolean): Ring {
    const flat = ring.slice(0, -1).map(([lon, lat]) => {
      const at = MercatorCoordinate.fromLngLat([lon!, lat!]);
      return [(at.x - this.#origin[0]) / this.#metre, (at.y - this.#origin[1]) / this.#metre];
    });
    let twice = 0;
    flat.forEach((a, n) => {
      const b = flat[(n + 1) % flat.length]!;
      twice += a[0]! * b[1]! - b[0]! * a[1]!;
    });
    return twice > 0 === outer ? flat : flat.reverse();
  }

  onAdd(map: MapLibre, context: WebGLRenderingContext | WebGL2RenderingContext): void {
    const gl = context as WebGL2RenderingContext;
    this.#map = map;
    this.#gl = gl;
    this.#cast = program(gl, VERTEX, FRAGMENT);
    this.#cover = program(gl, WHOLE, FRAGMENT);
    this.#buffers = [gl.createBuffer(), gl.createBuffer(), gl.createBuffer()];
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffers[2]);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    this.#stale = true;
  }

  render(_context: WebGLRenderingContext | WebGL2RenderingContext, input: CustomRenderMethodInput): void {
    const [gl, buffers] = [this.#gl, this.#buffers];
    if (!gl || !buffers || !this.sun || this.sun.elevation <= 0 || this.#fans.length === 0) return;
    if (this.#stale) {
      for (const [buffer, data] of [[buffers[0], this.#fans], [buffers[1], this.#walls]] as const) {
        gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
        gl.bufferData(gl.ARRAY_BUFFER, data, gl.STATIC_DRAW);
      }
      this.#stale = false;
    }
    gl.disable(gl.CULL_FACE);
    gl.disable(gl.DEPTH_TEST);
    gl.enable(gl.STENCIL_TEST);
    gl.stencilMask(0xff);
    gl.clearStencil(0);
    gl.clear(gl.STENCIL_BUFFER_BIT);
    gl.colorMask(false, false, false, false);
    gl.stencilFunc(gl.ALWAYS, 0, 0xff);
    const matrix = placed(input.defaultProjectionData.mainMatrix as unknown as ArrayLike<number>, this.#origin, this.#metre);
    const turn = (this.sun.azimuth * Math.PI) / 180;
    const long = 1 / Math.tan((Math.max(this.sun.elevation, LOWEST) * Math.PI) / 180);
    gl.useProgram(this.#cast);
    gl.uniformMatrix4fv(gl.getUniformLocation(this.#cast!, "u_matrix"), false, matrix);
    gl.uniform2f(gl.getUniformLocation(this.#cast!, "u_cast"), -Math.sin(turn) * long, Math.cos(turn) * long);
    gl.stencilOpSeparate(gl.FRONT, gl.KEEP, gl.KEEP, gl.INCR_WRAP);
    gl.stencilOpSeparate(gl.BACK, gl.KEEP, gl.KEEP, gl.DECR_WRAP);
    this.#draw(gl, this.#cast!, buffers[0], 3, this.#fans.length / 3);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.INCR);
    this.#draw(gl, this.#cast!, buffers[1], 3, this.#walls.length / 3);
    gl.colorMask(true, true, true, true);
    gl.stencilFunc(gl.NOTEQUAL, 0, 0xff);
    gl.stencilOp(gl.KEEP, gl.KEEP, gl.KEEP);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const [red, green, blue, opacity] = channels(this.paint);
    gl.useProgram(this.#cover);
    gl.uniform4f(gl.getUniformLocation(this.#cover!, "u_colour"), red * opacity, green * opacity, blue * opacity, opacity);
    this.#draw(gl, this.#cover!, buffers[2], 2, 3);
    gl.disable(gl.STENCIL_TEST);
  }

  #draw(gl: WebGL2RenderingContext, with_: WebGLProgram, buffer: WebGLBuffer, size: number, count: number): void {
    const place = gl.getAttribLocation(with_, "a_at");
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, 0, 0);
    gl.drawArrays(gl.TRIANGLES, 0, count);
  }
}

/** The fan of a ring at its height, and its walls from the ground up. */
function stand(ring: Ring, high: number, fans: number[], walls: number[]): void {
  const [first] = ring;
  for (let n = 1; n < ring.length - 1; n++) {
    for (const [x, y] of [first!, ring[n]!, ring[n + 1]!]) fans.push(x!, y!, high);
  }
  ring.forEach(([ax, ay], n) => {
    const [bx, by] = ring[(n + 1) % ring.length]!;
    walls.push(ax!, ay!, 0, bx!, by!, 0, bx!, by!, high, ax!, ay!, 0, bx!, by!, high, ax!, ay!, high);
  });
}
