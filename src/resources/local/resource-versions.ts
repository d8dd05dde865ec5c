import { ParasausError } from "../../foundation/index.ts";
import type { Epoch } from "./epoch.ts";

/**
 * Turns revisions of the store into resourceVersions and back. After a restore the store may count from anywhere; the
 * offset keeps its resourceVersions above all that were ever given out before, and those are refused.
 */
export class ResourceVersions {
  readonly #offset: number;
  readonly #firstRevision: number;

  constructor({ offset, firstRevision }: Pick<Epoch, "offset" | "firstRevision">) {
    this.#offset = offset;
    this.#firstRevision = firstRevision;
  }

  /** The resourceVersion of a revision. */
  of(revision: number): string {
    return String(revision + this.#offset);
  }

  /**
   * The revision of a resourceVersion; empty and `0` mean 0.
   *
   * @throws ParasausError `BadRequest` unless it is a decimal number, `Expired` for one from before the last restore
   */
  revisionOf(resourceVersion: string): number {
    const version = resourceVersion === "" ? 0 : Number(resourceVersion);
    if (!/^[0-9]*$/.test(resourceVersion) || !Number.isSafeInteger(version)) {
      throw new ParasausError(
        "BadRequest",
        `Cannot read the resourceVersion "${resourceVersion}": it is not a number`,
      );
    }
    if (version === 0 || version >= this.#offset + this.#firstRevision)
      return Math.max(0, version - this.#offset);
    throw new ParasausError(
      "Expired",
      `Cannot go on from resourceVersion ${resourceVersion}: it is from before the store was restored; list again (too old resource version)`,
    );
  }
}
