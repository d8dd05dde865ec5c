import type { Plan } from "../../model/index.ts";
import { collectManifests, FILE_OPTIONS } from "../apply/files.ts";
import { connect } from "../client/connection.ts";
import { NAMESPACE_OPTION } from "../client/namespaces.ts";
import { EXIT, reportFailure } from "../output/errors.ts";
import { writeStructured } from "../output/structured.ts";
import { renderPlan } from "../plan/render-plan.ts";
import { type Invocation, textOption, type Verb } from "../verb.ts";

/** As `diff` has them, so that scripts can tell a change from a mistake. */
const PLANNED = { nothing: 0, change: 1, refused: 2 } as const;

/** `parasaus plan`. */
export const plan: Verb = {
  arguments: [],
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    { flags: "-o, --output <format>", description: "output format", choices: ["text", "json", "yaml"] },
  ],
  programs: ["client"],
  examples: [
    ["What applying a file would change, and do to open connections", "parasaus plan -f web.yaml"],
    [
      "Apply only what changes nothing or is wanted: exit code 0 nothing, 1 a change, 2 refused",
      "parasaus plan -f web.yaml; echo $?",
    ],
    ["For a program", "generate-pools | parasaus plan -f - -o json"],
  ],
  run: planFiles,
};

async function planFiles(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  try {
    const manifests = await collectManifests(invocation);
    const namespace = textOption(invocation, "namespace");
    const found = await connect(invocation).ask<Plan>("/api/plan", {
      objects: manifests.map(({ object }) => object),
      ...(namespace === undefined ? {} : { namespace }),
    });
    const format = textOption(invocation, "output") ?? "text";
    if (format === "text") terminal.stdout.write(renderPlan(found, manifests));
    else await writeStructured(terminal.stdout, format, found);
    return exitCodeOf(found);
  } catch (failure) {
    reportFailure(failure, terminal);
    return terminal.signal.aborted ? EXIT.interrupted : PLANNED.refused;
  }
}

function exitCodeOf({ objects }: Plan): number {
  if (objects.some(({ outcome }) => outcome === "refused")) return PLANNED.refused;
  return objects.every(({ outcome }) => outcome === "unchanged") ? PLANNED.nothing : PLANNED.change;
}
