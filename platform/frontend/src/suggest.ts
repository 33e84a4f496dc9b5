/**
 * What files say about a design of theirs: name, summary and licence go into the fields of the form that nobody has
 * touched, so that a person sees them before anything is made. The site reads README and file names the same way
 * (designs/naming.py) for those without script.
 */

const MOST_BYTES = 64_000;
const NO_SENTENCE = /^(?:#|!|\[!|\||-|\*|>|`|~|<|=|\+)/;

interface Said {
  name?: string | undefined;
  summary?: string | undefined;
  licence?: string | undefined;
}

type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

function plain(markdown: string): string {
  const words = markdown.replace(/!?\[([^\]\n]*)\]\([^)\n]*\)/g, "$1").replace(/[*`]|\b_|_\b/g, "");
  return words.split(/\s+/).join(" ").trim();
}

function ofReadme(text: string): Said {
  const heading = /^#[ \t]+(.+)$/m.exec(text);
  const rest = heading === null ? text : text.slice(heading.index + heading[0].length);
  const blocks = rest.split(/\n[ \t]*\n/).map((block) => block.trim());
  const words = blocks.find((block) => block !== "" && !NO_SENTENCE.test(block));
  return { name: plain(heading?.[1] ?? "").slice(0, 120), summary: plain(words ?? "").slice(0, 400) };
}

function ofManifest(text: string): Said {
  const value = (keys: string): string | undefined =>
    new RegExp(`^[ \\t]*(?:${keys})[ \\t]*[=:][ \\t]*["']?([^"'\\n]+)`, "m").exec(text)?.[1]?.trim();
  return { name: value("name|title"), summary: value("function|description"), licence: value("licen[cs]e|hardware") };
}

function ofName(path: string): string {
  const words = (path.split("/").pop() ?? "").replace(/\.[^.]+$/, "").replace(/[\s_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

async function start(chosen: Map<string, File>, name: RegExp): Promise<string> {
  const paths = [...chosen.keys()].sort((a, b) => a.split("/").length - b.split("/").length);
  const path = paths.find((one) => name.test(one));
  const text = path === undefined ? undefined : await chosen.get(path)?.slice(0, MOST_BYTES).text();
  return (text ?? "").replace(/\r\n/g, "\n");
}

async function said(chosen: Map<string, File>): Promise<Said> {
  const manifest = ofManifest(await start(chosen, /(?:^|\/)okh(?:[-.\w]*)\.(?:toml|ya?ml)$/i));
  const readme = ofReadme(await start(chosen, /(?:^|\/)readme\.md$/i));
  const licence = /SPDX-License-Identifier:\s*([\w.+-]+)/.exec(await start(chosen, /(?:^|\/)(?:licen[cs]e|copying)/i))?.[1];
  const first = [...chosen.keys()].find((path) => !/(?:^|\/)(?:readme|licen[cs]e|okh)[^/]*$/i.test(path));
  return {
    name: manifest.name ?? (readme.name || ofName(first ?? "")),
    summary: manifest.summary ?? readme.summary,
    licence: manifest.licence ?? licence,
  };
}

/** Fill a field, unless a person wrote or chose something in it. */
function fill(field: Element | RadioNodeList | null, value: string | undefined): void {
  if (!(field instanceof HTMLElement) || !("value" in field) || !value) return;
  const one = field as Field;
  const own = one instanceof HTMLSelectElement ? (one.dataset["first"] ??= one.value) : "";
  if (one.value !== (one.dataset["suggested"] ?? own)) return;
  if (one instanceof HTMLSelectElement && ![...one.options].some((option) => option.value === value)) return;
  one.value = value;
  one.dataset["suggested"] = one.value;
}

/** Let the chosen files fill the form. */
export async function suggest(form: HTMLFormElement, chosen: Map<string, File>): Promise<void> {
  const { name, summary, licence } = await said(chosen);
  fill(form.elements.namedItem("name"), name);
  fill(form.elements.namedItem("summary"), summary);
  fill(form.elements.namedItem("licence"), licence);
}
