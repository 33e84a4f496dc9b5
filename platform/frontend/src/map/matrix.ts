/** A matrix of the map's own (0..1 mercator) with an origin and a scale put before it: metres around the origin. */
export function placed(main: ArrayLike<number>, origin: [number, number], metre: number): Float32Array {
  const out = new Float32Array(16);
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 3; column++) out[column * 4 + row] = main[column * 4 + row]! * metre;
    out[12 + row] = main[row]! * origin[0] + main[4 + row]! * origin[1] + main[12 + row]!;
  }
  return out;
}

/** A program of two shaders. */
export function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made) ?? "program");
  return made;
}

/** Red, green, blue and opacity, 0..1, of a painted colour. */
export function channels(painted: string): [number, number, number, number] {
  const parts = (painted.match(/[\d.]+/g) ?? []).map(Number);
  return [(parts[0] ?? 0) / 255, (parts[1] ?? 0) / 255, (parts[2] ?? 0) / 255, parts[3] ?? 1];
}
