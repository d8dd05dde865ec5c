import { ParasausError } from "../../foundation/index.ts";
import { definitionFor, parseDurationMs } from "../../model/index.ts";
import type { Connection } from "../client/connection.ts";
import { qualifiedName } from "../client/kinds.ts";
import type { ApplyOptions } from "./apply-manifest.ts";
import type { Manifest } from "./manifest.ts";

/** What the server answers. */
interface ApplyAnswer {
  readonly outcomes: readonly string[];
  readonly warnings: readonly string[];
  /** Absent where nothing changed. */
  readonly confirmation?: { readonly id: string; readonly deadline: string };
}

/**
 * Applies all objects at once, or none, and has the server take that back unless it is confirmed in time.
 *
 * @param within As the operator gave it: `5m`.
 * @returns what to print
 * @throws ParasausError `Usage` for what is no time, and as the server refuses it
 */
export async function applyUnlessConfirmed(
  { ask }: Pick<Connection, "ask">,
  manifests: readonly Manifest[],
  within: string,
  options: ApplyOptions,
): Promise<string> {
  const withinMs = parseDurationMs(within);
  if (withinMs === undefined)
    throw new ParasausError("Usage", `Cannot wait for "${within}": expected a time such as 90s or 5m`);
  const { namespace, reason, dryRun } = options;
  const { outcomes, warnings, confirmation } = await ask<ApplyAnswer>("/api/apply", {
    objects: manifests.map(({ object }) => object),
    confirmWithinSeconds: Math.ceil(withinMs / 1_000),
    ...(namespace === undefined ? {} : { namespace }),
    ...(reason === undefined ? {} : { reason }),
    ...(dryRun ? { dryRun } : {}),
  });
  for (const warning of warnings) options.onWarning?.(warning);
  const lines = manifests.map(({ object }, index) => {
    const definition = definitionFor(object.apiVersion, object.kind);
    const name = definition ? qualifiedName(definition, object.metadata.name) : object.metadata.name;
    return `${name} ${outcomes[index]}${dryRun ? " (dry run)" : ""}\n`;
  });
  if (!confirmation) return lines.join("");
  const { id, deadline } = confirmation;
  return `${lines.join("")}Taken back at ${deadline} unless you run: parasaus confirm ${id}\n`;
}
