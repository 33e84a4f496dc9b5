/**
 * <lc-drop><div class="field">… <input type="file" name="files" multiple> …</div></lc-drop>   inside a form
 *
 * Takes files and whole folders that are dropped on it or chosen, lists them with their sizes, and sends the form with
 * them and their paths (`paths`, one for each file), telling how far it is. With `suggests` it fills name, summary and
 * licence from what the files say. Without script the form's own field does.
 */
import { el, icon } from "../dom";
import { suggest } from "../suggest";
import { word } from "../words";
import "../styles/island-drop.css";

interface Chosen {
  path: string;
  file: File;
}

const MANY = 8;

function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let at = 0;
  let left = bytes;
  for (; left >= 1000 && at < units.length - 1; at += 1) left /= 1000;
  return `${new Intl.NumberFormat(document.documentElement.lang, { maximumSignificantDigits: 3 }).format(left)} ${units[at]}`;
}

/** All files below a dropped entry; a folder answers in parts until it has no more. */
async function below(entry: FileSystemEntry): Promise<Chosen[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, fail) => (entry as FileSystemFileEntry).file(done, fail));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Chosen[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
    if (part.length === 0) return found;
    for (const inner of part) found.push(...(await below(inner)));
  }
}

class DropFiles extends HTMLElement {
  #chosen = new Map<string, File>();
  #list = el("ul", { class: "list dropped" });
  #told = el("p", { class: "tiny muted", "aria-live": "polite" });
  #required = false;

  connectedCallback(): void {
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    const form = this.closest("form");
    if (input === null || form === null || this.hasAttribute("data-ready")) return;
    this.#required = input.required;
    const folder = el("input", { type: "file", webkitdirectory: "", hidden: "", "aria-hidden": "true", tabindex: "-1" });
    const pick = el("button", { type: "button", class: "btn s" }, word("Choose a folder"));
    pick.addEventListener("click", () => folder.click());
    folder.addEventListener("change", () => {
      this.#add([...(folder.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
      folder.value = "";
    });
    input.addEventListener("change", () => {
      this.#add([...(input.files ?? [])].map((file) => ({ path: file.name, file })));
      input.value = "";
    });
    const words = el("p", { class: "small" }, word("Drop files or folders here, or choose them."));
    this.prepend(el("div", { class: "drop-head" }, icon("plus"), words, pick, folder));
    this.append(this.#list, this.#told);
    this.#listen(form);
    this.setAttribute("data-ready", "");
  }

  #listen(form: HTMLFormElement): void {
    this.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.setAttribute("data-over", "");
    });
    this.addEventListener("dragleave", () => this.removeAttribute("data-over"));
    this.addEventListener("drop", (event) => {
      event.preventDefault();
      this.removeAttribute("data-over");
      void this.#drop(event.dataTransfer);
    });
    form.addEventListener("submit", (event) => {
      if (this.#chosen.size === 0) return;
      event.preventDefault();
      this.#send(form);
    });
  }

  async #drop(sent: DataTransfer | null): Promise<void> {
    // The items are gone after the first await, so all entries are taken first.
    const entries = [...(sent?.items ?? [])].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
    for (const entry of entries) this.#add(await below(entry));
  }

  #add(found: Chosen[]): void {
    for (const { path, file } of found) if (!path.split("/").includes(".git")) this.#chosen.set(path, file);
    this.#show();
    const form = this.closest("form");
    if (form !== null && this.hasAttribute("suggests")) void suggest(form, this.#chosen);
  }

  get #input(): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>("input[type=file][name]");
  }

  #show(): void {
    this.#input?.toggleAttribute("required", this.#required && this.#chosen.size === 0);
    const rows = [...this.#chosen].slice(0, MANY).map(([path, file]) => {
      const away = el("button", { type: "button", class: "btn s quiet" }, word("Leave out"));
      away.setAttribute("aria-label", `${word("Leave out")} ${path}`);
      away.addEventListener("click", () => {
        this.#chosen.delete(path);
        this.#show();
      });
      return el("li", {}, el("span", { class: "t" }, path), el("span", { class: "tiny muted" }, size(file.size)), away);
    });
    this.#list.replaceChildren(...rows);
    const all = [...this.#chosen.values()].reduce((sum, file) => sum + file.size, 0);
    const words = word("{n} files, {size}", { n: this.#chosen.size, size: size(all) });
    this.#told.textContent = this.#chosen.size === 0 ? "" : words;
  }

  #send(form: HTMLFormElement): void {
    const body = new FormData(form);
    const name = this.#input?.name ?? "files";
    body.delete(name);
    for (const [path, file] of this.#chosen) {
      body.append(name, file, file.name);
      body.append("paths", path);
    }
    const button = form.querySelector<HTMLButtonElement>(".btn.main");
    button?.toggleAttribute("disabled", true);
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const share = Math.round((100 * event.loaded) / event.total);
      this.#told.textContent = word("Sending, {n} %", { n: share });
    });
    request.addEventListener("load", () => this.#answered(request));
    request.addEventListener("error", () => {
      button?.toggleAttribute("disabled", false);
      this.#told.textContent = word("The site could not be reached; nothing was sent. Try again.");
    });
    request.open("POST", form.action);
    request.send(body);
  }

  /** The page that the site led to, or the form with what is wrong in it; the chosen files stay chosen here. */
  #answered(request: XMLHttpRequest): void {
    if (request.status < 400) {
      location.assign(request.responseURL);
      return;
    }
    const form = this.closest("form");
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    const summary = page.querySelector("form [role=alert]");
    this.#told.textContent = "";
    form?.querySelector("[role=alert]")?.remove();
    if (summary === null) this.#told.textContent = page.querySelector("h1")?.textContent.trim() ?? word("The site could not take this.");
    else form?.prepend(document.importNode(summary, true));
    for (const field of form?.querySelectorAll(".field") ?? []) this.#mend(field, page);
    form?.querySelector(".btn.main")?.toggleAttribute("disabled", false);
    form?.querySelector<HTMLElement>("[role=alert]")?.scrollIntoView({ block: "nearest" });
  }

  /** A field as the site answered it, with what is wrong under it. */
  #mend(field: Element, page: Document): void {
    const id = field.querySelector("[id]:is(input, select, textarea)")?.id;
    if (id === undefined || id === "" || this.contains(field)) return;
    const answered = page.getElementById(id)?.closest(".field");
    if (answered) field.replaceWith(document.importNode(answered, true));
  }
}

customElements.define("lc-drop", DropFiles);
