import { createReadStream } from "node:fs";
import { ParasausError, type Terminal } from "../../foundation/index.ts";
import { type Backup, type BackupHeader, decodeBackup } from "../../resources/backup/index.ts";
import { EXIT } from "../output/errors.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus restore`. */
export const restore: Verb = {
  arguments: [{ syntax: "<file>", description: "a backup; - is standard input" }],
  options: [
    { flags: "--check", description: "read the backup to its end and say what it is, restore nothing" },
    { flags: "--replace", description: "delete what the store holds" },
    { flags: "-y, --yes", description: "do it" },
    {
      flags: "--epoch <number>",
      description: "begin at least this epoch (default: one more than the store and the backup)",
    },
  ],
  programs: ["store"],
  examples: [
    [
      "Into a new data directory, while no server runs",
      "parasaus restore parasaus.backup --data-dir /srv/new",
    ],
    ["Back to what was, and away with everything since", "parasaus restore parasaus.backup --replace --yes"],
    ["Is it whole?", "parasaus restore parasaus.backup --check"],
    ["A compressed one", "zcat parasaus.backup.gz | parasaus restore -"],
  ],
  run: restoreFile,
};

async function restoreFile(invocation: Invocation): Promise<number> {
  const { terminal, configuration } = invocation;
  const request = readRequest(invocation);
  const backup = await readBackup(invocation.arguments[0] ?? "", terminal);
  const told = describe(backup.header);
  if (isSet(invocation, "check")) {
    terminal.stdout.write(`Whole: ${told}\n`);
    return EXIT.ok;
  }
  const { restoreStore } = await invocation.loadPrograms();
  const done = await restoreStore(configuration, terminal, backup, request);
  const resumed = done.isResumed ? " (an interrupted restore of the same backup, brought to its end)" : "";
  terminal.stdout.write(`Restored ${told}${resumed}
${done.writtenCount} objects written, ${done.deletedCount} deleted; the store is in epoch ${done.epoch} now
Start the server: agents and watching clients read everything anew
`);
  return EXIT.ok;
}

function readRequest(invocation: Invocation): { readonly replace: boolean; readonly leastEpoch?: number } {
  const replace = isSet(invocation, "replace");
  if (replace && !isSet(invocation, "yes") && !isSet(invocation, "check")) {
    throw new ParasausError(
      "Usage",
      "Cannot restore: --replace deletes everything that is in the store; say so with --yes",
    );
  }
  const epoch = textOption(invocation, "epoch");
  if (epoch === undefined) return { replace };
  if (!/^[1-9]\d{0,8}$/.test(epoch)) {
    throw new ParasausError(
      "Usage",
      `Cannot restore into epoch "${epoch}": expected a whole number from 1 on`,
    );
  }
  return { replace, leastEpoch: Number(epoch) };
}

async function readBackup(file: string, terminal: Terminal): Promise<Backup> {
  if (file === "-") return decodeBackup(once(terminal.readStdin()), "standard input");
  try {
    return await decodeBackup(createReadStream(file), file);
  } catch (failure) {
    if (failure instanceof ParasausError) throw failure;
    throw new ParasausError("Usage", `Cannot read "${file}": ${(failure as Error).message}`, {
      cause: failure,
    });
  }
}

async function* once(text: Promise<string>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(await text);
}

function describe({ count, revision, epoch, time, version }: BackupHeader): string {
  return `the backup of ${time} by version ${version}: ${count} objects at revision ${revision} of epoch ${epoch}`;
}
