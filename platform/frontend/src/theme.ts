/**
 * Light, dark, or as the system says. The server writes the choice into the page from the cookie, so nothing flashes;
 * the form works without script, this only spares the reload.
 */

export type Theme = "light" | "dark" | "system";
const YEAR_S = 31_536_000;

export function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Call back whenever light turns to dark or back, by choice or by the system; returns how to stop. */
export function onThemeChange(call: () => void): () => void {
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", call);
  document.addEventListener("city:theme", call);
  return () => {
    media.removeEventListener("change", call);
    document.removeEventListener("city:theme", call);
  };
}

function choose(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  const keep = theme === "system" ? 0 : YEAR_S;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${theme}; path=/; max-age=${keep}; samesite=lax${secure}`;
  for (const button of document.querySelectorAll<HTMLElement>('[name="theme"][value]')) {
    button.setAttribute("aria-pressed", String((button as HTMLButtonElement).value === theme));
  }
  document.dispatchEvent(new Event("city:theme"));
}

export function startTheme(): void {
  document.addEventListener("submit", (event) => {
    const button = (event as SubmitEvent).submitter;
    if (!(button instanceof HTMLButtonElement) || button.name !== "theme") return;
    event.preventDefault();
    choose(button.value as Theme);
  });
}
