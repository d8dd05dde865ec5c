import { applyManifest } from "../apply/apply-manifest.ts";
import { collectManifests, FILE_OPTIONS } from "../apply/files.ts";
import { connect } from "../client/connection.ts";
import { NAMESPACE_OPTION } from "../client/namespaces.ts";
import { EXIT, reportFailure } from "../output/errors.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus apply`. */
export const apply: Verb = {
  arguments: [],
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    { flags: "--dry-run", description: "check on the server and answer, but change nothing" },
    { flags: "--reason <text>", description: "why, for the record of operations" },
  ],
  programs: ["client"],
  examples: [
    ["What a file describes; again after each change of it", "parasaus apply -f web.yaml"],
    ["A directory and all inside it", "parasaus apply -R -f deploy/"],
    ["From another program, checked only", "generate-pools | parasaus apply --dry-run -f -"],
  ],
  run: applyFiles,
};

/** Goes on after an object that is refused, so that one run shows every mistake. */
async function applyFiles(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const manifests = await collectManifests(invocation);
  const { resources, operator } = connect(invocation);
  const reason = textOption(invocation, "reason");
  const namespace = textOption(invocation, "namespace");
  const options = {
    operator,
    dryRun: isSet(invocation, "dryRun"),
    ...(reason === undefined ? {} : { reason }),
    ...(namespace === undefined ? {} : { namespace }),
    onWarning: (message: string) => void terminal.stderr.write(`Warning: ${message}\n`),
  };
  let exitCode: number = EXIT.ok;
  for (const manifest of manifests) {
    try {
      terminal.stdout.write(`${await applyManifest(resources, manifest, options)}\n`);
    } catch (failure) {
      exitCode = Math.max(exitCode, reportFailure(failure, terminal));
      if (terminal.signal.aborted) return EXIT.interrupted;
    }
  }
  return exitCode;
}
