/** Words of the islands in the page's language: the server writes them into a JSON block (web/words.html). */

let words: Record<string, string> | undefined;

export function word(key: string, values: Record<string, string | number> = {}): string {
  if (words === undefined) {
    const block = document.getElementById("island-words");
    words = block?.textContent ? (JSON.parse(block.textContent) as Record<string, string>) : {};
  }
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
