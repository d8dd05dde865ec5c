import { ParasausError } from "../../foundation/index.ts";

const ITEMS = '"items":[';
/** Where an item of a list ends and the next one begins; inside a string its quotes would be escaped. */
const BORDER = '},{"apiVersion"';

/**
 * Reads JSON that arrives in chunks. A long list is read item by item as far as it has come, so that no text as long as the
 * list is made: one of a megabyte costs more to allocate than to parse.
 */
export class JsonReader {
  readonly #chunks: Uint8Array[] = [];
  readonly #decoder = new TextDecoder();
  #list: ListReader | undefined = new ListReader();

  /** Takes the next chunk. */
  take(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    if (!this.#list) return;
    try {
      this.#list.take(this.#decoder.decode(chunk, { stream: true }));
    } catch {
      // What looked like the items of a list is something else: the text is read as a whole.
      this.#list = undefined;
    }
  }

  /**
   * Everything has come.
   *
   * @throws ParasausError `Unavailable` when it is no JSON
   */
  finish(): unknown {
    try {
      if (this.#list) return this.#list.finish(this.#decoder.decode());
    } catch {
      // As above.
    }
    try {
      return JSON.parse(textOf(this.#chunks));
    } catch (cause) {
      throw new ParasausError("Unavailable", "Cannot read the server's answer: it is no JSON", { cause });
    }
  }
}

/** Reads the text of an object whose last open array is `items`; every piece that is read must be valid by itself. */
class ListReader {
  /** Up to the first item; absent until that has come. */
  #head: string | undefined;
  #rest = "";
  readonly #items: unknown[] = [];

  /** @throws SyntaxError when it is no such object */
  take(text: string): void {
    this.#rest += text;
    if (this.#head === undefined) this.#readHead();
    if (this.#head === undefined) return;
    const border = this.#rest.lastIndexOf(BORDER);
    if (border < 0) return;
    for (const item of JSON.parse(`[${this.#rest.slice(0, border + 1)}]`)) this.#items.push(item);
    this.#rest = this.#rest.slice(border + 2);
  }

  /** @throws SyntaxError when it is no JSON */
  finish(text: string): unknown {
    const last = JSON.parse((this.#head ?? "") + this.#rest + text);
    if (this.#items.length === 0) return last;
    return { ...last, items: [...this.#items, ...last.items] };
  }

  #readHead(): void {
    const start = this.#rest.indexOf(ITEMS);
    if (start < 0) return;
    const head = this.#rest.slice(0, start + ITEMS.length);
    JSON.parse(`${head}]}`);
    this.#head = head;
    this.#rest = this.#rest.slice(head.length);
  }
}

function textOf(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}
