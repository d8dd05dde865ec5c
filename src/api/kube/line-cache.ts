import type { KubeObject } from "../../model/index.ts";

/** Each half's size, bytes. Everybody who keeps up is told of an event within a moment; a half holds some 5,000 of them. */
const HALF_BYTES = 8 * 1024 * 1024;

/**
 * Lines of watches, each encoded once for all who want it soon after each other. Two halves: when the younger is full, the
 * older is forgotten, and whoever is far behind has its lines encoded anew.
 */
export class LineCache {
  #young = new WeakMap<KubeObject, Map<string, Buffer>>();
  #old = new WeakMap<KubeObject, Map<string, Buffer>>();
  #youngBytes = 0;

  /** The line of an object in one form; `encode` makes it when it is not there. */
  line(object: KubeObject, form: string, encode: () => Buffer): Buffer {
    const known = this.#young.get(object)?.get(form) ?? this.#old.get(object)?.get(form);
    if (known) return known;
    const line = encode();
    const forms = this.#young.get(object) ?? new Map<string, Buffer>();
    this.#young.set(object, forms.set(form, line));
    this.#youngBytes += line.length;
    if (this.#youngBytes > HALF_BYTES) this.#forgetOld();
    return line;
  }

  #forgetOld(): void {
    this.#old = this.#young;
    this.#young = new WeakMap();
    this.#youngBytes = 0;
  }
}
