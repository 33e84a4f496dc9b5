/** Tabs, keys and small menus: `/` searches, `?` lists the keys, Esc and a click outside close what is open. */

const MENUS = "details.menu[open]";

function closeMenus(but?: Element | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>(MENUS)) {
    if (menu !== but) menu.open = false;
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}

function onKey(event: KeyboardEvent): void {
  if (event.key === "Escape") {
    const open = document.querySelector<HTMLDetailsElement>(MENUS);
    closeMenus();
    open?.querySelector("summary")?.focus();
    return;
  }
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const field = document.querySelector<HTMLInputElement>(".masthead input[type=search]");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  } else if (event.key === "?") {
    document.querySelector<HTMLDialogElement>("dialog#keys")?.showModal();
  }
}

/** A row of tabs that is wider than the screen begins where we are. */
function showWhereWeAre(): void {
  for (const here of document.querySelectorAll<HTMLElement>(".tabs > [aria-current]")) {
    const row = here.parentElement!;
    row.scrollLeft = Math.max(0, here.offsetLeft - row.offsetLeft + here.offsetWidth - row.clientWidth);
  }
}

export function startMasthead(): void {
  showWhereWeAre();
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", (event) => {
    const target = event.target as Element | null;
    closeMenus(target?.closest("details.menu"));
    const dialog = target?.closest("dialog");
    if (dialog && (target === dialog || target?.closest("[data-close]"))) dialog.close();
    const opens = target?.closest<HTMLElement>("[data-opens]");
    if (opens) document.querySelector<HTMLDialogElement>(opens.dataset["opens"] ?? "")?.showModal();
  });
  document.addEventListener("click", (event) => {
    const button = (event.target as Element | null)?.closest<HTMLElement>("[data-copies]");
    const source = button ? document.querySelector(button.dataset["copies"] ?? "") : null;
    if (!button || !source) return;
    const text = source instanceof HTMLInputElement ? source.value : (source.textContent ?? "").trim();
    void navigator.clipboard.writeText(text).then(() => {
      button.textContent = button.dataset["copied"] ?? button.textContent;
    });
  });
}
