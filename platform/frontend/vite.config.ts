import { defineConfig, type Plugin } from "vite";

/** Google's wrapper is a plain script inside a package of modules, so nobody could import it: it gets its export here. */
function dracoWrapper(): Plugin {
  return {
    name: "draco-wrapper",
    transform(code, id) {
      if (!id.endsWith("/draco/gltf/draco_wasm_wrapper.js")) return undefined;
      const browser = code.replace(/require\("(fs|path)"\)/g, "{}").replace(/"object"===typeof exports&&"object"===typeof module\?[^]*$/, "");
      return `${browser}\nexport default DracoDecoderModule;\n`;
    },
  };
}

/** One bundle for every page, one small file for each island; Django finds them through manifest.json. */
export default defineConfig({
  base: "/static/dist/",
  // The tokens are written with light-dark(); it must reach the browser as it is.
  build: {
    outDir: "../livingcity/static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2023",
    cssTarget: ["chrome125", "firefox125", "safari17.5"],
    chunkSizeWarningLimit: 1200,
    // htmx holds an eval that its own setting allowEval=false closes.
    rolldownOptions: { input: ["src/main.ts", "src/styles/hours.css", "src/styles/person.css"], checks: { eval: false, pluginTimings: false } },
  },
  worker: { format: "es", plugins: () => [dracoWrapper()] },
});
