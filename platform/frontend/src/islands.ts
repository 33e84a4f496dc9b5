/** Islands: custom elements whose code is fetched only where their tag stands, also when htmx brings it later. */

const LOADERS: Record<string, () => Promise<unknown>> = {
  "lc-model": () => import("./islands/model"),
  "lc-layers": () => import("./islands/layers"),
  "lc-compare": () => import("./islands/compare"),
  "lc-chart": () => import("./islands/chart"),
  "lc-district": () => import("./islands/district"),
  "lc-map": () => import("./islands/map"),
  "lc-run": () => import("./islands/run"),
  "lc-scenario": () => import("./islands/scenario"),
  "lc-drop": () => import("./islands/drop"),
  "lc-idle": () => import("./islands/idle"),
  "lc-live": () => import("./islands/live"),
  "lc-week": () => import("./islands/week"),
  "lc-ballot": () => import("./islands/ballot"),
};

const asked = new Set<string>();

function look(root: ParentNode): void {
  for (const [tag, load] of Object.entries(LOADERS)) {
    if (asked.has(tag) || root.querySelector(tag) === null) continue;
    asked.add(tag);
    load().catch((cause: unknown) => {
      asked.delete(tag);
      console.warn(`${tag} could not be loaded; what the server sent stays.`, cause);
    });
  }
}

export function startIslands(): void {
  look(document);
  document.addEventListener("htmx:afterSettle", () => look(document));
}
