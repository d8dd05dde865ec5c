import { applyManifest } from "../apply/apply-manifest.ts";
import { applyUnlessConfirmed } from "../apply/apply-unless-confirmed.ts";
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
    {
      flags: "--confirm-within <duration>",
      description: "all or nothing, and the server takes it back unless parasaus confirm comes in time: 5m",
    },
  ],
  programs: ["client"],
  examples: [
    ["What a file describes; again after each change of it", "parasaus apply -f web.yaml"],
    ["A directory and all inside it", "parasaus apply -R -f deploy/"],
    [
      "A risky change, taken back in five minutes unless parasaus confirm says that it works",
      "parasaus apply --confirm-within 5m -f web.yaml",
    ],
    ["From another program, checked only", "generate-pools | parasaus apply --dry-run -f -"],
  ],
  run: applyFiles,
};

/** Goes on after an object that is refused, so that one run shows every mistake. */
async function applyFiles(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const manifests = await collectManifests(invocation);
  const connection = connect(invocation);
  const { resources, operator } = connection;
  const reason = textOption(invocation, "reason");
  const namespace = textOption(invocation, "namespace");
  const options = {
    operator,
    dryRun: isSet(invocation, "dryRun"),
    ...(reason === undefined ? {} : { reason }),
    ...(namespace === undefined ? {} : { namespace }),
    onWarning: (message: string) => void terminal.stderr.write(`Warning: ${message}\n`),
  };
  const within = textOption(invocation, "confirmWithin");
  if (within !== undefined) {
    terminal.stdout.write(await applyUnlessConfirmed(connection, manifests, within, options));
    return EXIT.ok;
  }
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
