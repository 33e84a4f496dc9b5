/**
 * <lc-ballot number="9" voter="7" method="majority"><form>… fields as without script …</form><p data-told></p></lc-ballot>
 *
 * A secret ballot (docs/deciding.md). The browser makes a token, has it signed blind under the person's name, and later
 * puts a ballot into the box with the token alone: without cookies, after a random wait, so that neither the request nor
 * its time tells whose it is. Token and receipt stay in this browser; with them the ballot is changed until the end and
 * found in the published file; after the vote the tag stands without a form and says how it was counted. Without script a
 * secret vote cannot be cast, and the page says so.
 */
import { RSABSSA } from "@cloudflare/blindrsa-ts";

import { word } from "../words";

interface Kept {
  token: string;
  signature: string;
  receipt?: string;
  choice?: string | string[];
}

const WAIT_AT_MOST_S = 15;
const suite = RSABSSA.SHA384.PSS.Randomized();

const packed = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const unpacked = (text: string): Uint8Array => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

async function asked(address: string, body?: object, more: RequestInit = {}): Promise<Record<string, unknown>> {
  const answer = await fetch(address, {
    ...more,
    ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
    headers: { Accept: "application/json", "Content-Type": "application/json", ...more.headers },
  });
  const told = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(String(told["detail"] ?? word("The site could not take this.")));
  return told;
}

class SecretBallot extends HTMLElement {
  #kept: Kept | undefined;

  connectedCallback(): void {
    const known = localStorage.getItem(this.#place);
    this.#kept = known ? (JSON.parse(known) as Kept) : undefined;
    const form = this.querySelector("form");
    if (!form) {
      void this.#try(() => this.#find());
      return;
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#try(() => this.#cast(form));
    });
    void this.#try(() => this.#register());
    this.setAttribute("data-ready", "");
  }

  get #place(): string {
    return `ballot:${this.getAttribute("number")}:${this.getAttribute("voter")}`;
  }

  get #path(): string {
    return `/api/v1/decisions/${this.getAttribute("number")}/`;
  }

  #say(words: string): void {
    const told = this.querySelector("[data-told]");
    if (told) told.textContent = words;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    const button = this.querySelector("button");
    try {
      if (button) button.disabled = true;
      await work();
    } catch (cause) {
      this.#say(cause instanceof Error ? cause.message : String(cause));
    } finally {
      if (button) button.disabled = this.#kept === undefined;
    }
  }

  /** Have a fresh token signed, once; the same browser goes on with the one that it has. */
  async #register(): Promise<void> {
    if (this.#kept) {
      this.#say(this.#kept.receipt ? word("You have voted. You can change it until the end.") : "");
      return;
    }
    const spki = unpacked(String((await asked(`${this.#path}token/`))["key"]));
    const how = { name: "RSA-PSS", hash: "SHA-384" };
    const key = await crypto.subtle.importKey("spki", spki as BufferSource, how, true, ["verify"]);
    const token = suite.prepare(crypto.getRandomValues(new Uint8Array(32)));
    const { blindedMsg, inv } = await suite.blind(key, token);
    const csrf = this.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "";
    const signed = await asked(`${this.#path}token/`, { blinded: packed(blindedMsg) }, { headers: { "X-CSRFToken": csrf } });
    const signature = await suite.finalize(key, token, unpacked(String(signed["signature"])), inv);
    this.#keep({ token: packed(token), signature: packed(signature) });
  }

  /** After the end: how the ballot of this browser stands in the published file. */
  async #find(): Promise<void> {
    const receipt = this.#kept?.receipt;
    if (!receipt) return;
    const file = await asked(`/decisions/${this.getAttribute("number")}/ballots.json`);
    const place = (file["tokens"] as string[]).indexOf(receipt);
    if (place < 0) {
      this.#say(word("Your ballot is not in the file. Show your receipt to the body’s stewards: {receipt}", { receipt }));
      return;
    }
    const counted = JSON.stringify((file["ballots"] as unknown[])[place]);
    const same = counted === JSON.stringify(this.#kept?.choice);
    const words = same
      ? word("Your ballot stands in the file as you cast it, in line {n}.")
      : word("Your ballot stands in the file otherwise than you cast it, in line {n}: {choice}");
    this.#say(words.replace("{n}", String(place + 1)).replace("{choice}", counted));
  }

  #keep(kept: Kept): void {
    this.#kept = kept;
    localStorage.setItem(this.#place, JSON.stringify(kept));
  }

  async #cast(form: HTMLFormElement): Promise<void> {
    const kept = this.#kept;
    if (!kept) return;
    const choice = this.#choice(form);
    const wait_s = 1 + Math.floor((crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32) * WAIT_AT_MOST_S);
    this.#say(word("Your ballot leaves in a moment, so that its time tells nothing."));
    await new Promise((done) => setTimeout(done, wait_s * 1000));
    const body = { token: kept.token, signature: kept.signature, choice };
    const told = await asked(`${this.#path}ballot/`, body, { credentials: "omit", referrerPolicy: "no-referrer" });
    this.#keep({ ...kept, choice, receipt: String(told["receipt"]) });
    this.#say(word("Your ballot is in the box. Receipt: {receipt}", { receipt: String(told["receipt"]) }));
  }

  #choice(form: HTMLFormElement): string | string[] {
    const data = new FormData(form);
    const method = this.getAttribute("method");
    if (method === "majority") return String(data.get("choice") ?? "");
    if (method !== "condorcet") return data.getAll("choice").map(String).sort((a, b) => Number(a) - Number(b));
    const ranks = [...data.entries()].filter(([name, rank]) => name.startsWith("rank-") && String(rank) !== "");
    return ranks.sort((a, b) => Number(a[1]) - Number(b[1])).map(([name]) => name.slice(5));
  }
}

customElements.define("lc-ballot", SecretBallot);
