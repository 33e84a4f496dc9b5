import { defineConfig } from "vite";

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
    rolldownOptions: { input: ["src/main.ts"], checks: { eval: false, pluginTimings: false } },
  },
});
