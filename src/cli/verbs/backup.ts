import type { Output } from "../../foundation/index.ts";
import { type BackupHeader, checkBackup } from "../../resources/backup/index.ts";
import { type WritePiece, writeSafely } from "../backup/safe-file.ts";
import { connect } from "../client/connection.ts";
import { EXIT } from "../output/errors.ts";
import { type Invocation, isSet, type Verb } from "../verb.ts";

/** `parasaus backup`. */
export const backup: Verb = {
  arguments: [{ syntax: "<file>", description: "where to write it; - is standard output" }],
  options: [{ flags: "--offline", description: "read the store itself, while no server runs" }],
  programs: ["client", "store"],
  examples: [
    [
      "Everything at one revision, while the server runs and takes changes",
      "parasaus backup parasaus.backup",
    ],
    [
      "Compressed, on another machine",
      "parasaus backup - | gzip | ssh backup-host 'cat > parasaus.backup.gz'",
    ],
    ["Of a server that does not start", "parasaus backup --offline --data-dir /srv/parasaus parasaus.backup"],
  ],
  run: takeBackup,
};

async function takeBackup(invocation: Invocation): Promise<number> {
  const { stdout, stderr } = invocation.terminal;
  const [file = ""] = invocation.arguments;
  const pieces = await piecesOf(invocation);
  if (file === "-") {
    const header = await copyBackup(pieces, "-", writerTo(stdout));
    stderr.write(`Backed up ${describe(header)}\n`);
  } else {
    const header = await writeSafely(file, (write) => copyBackup(pieces, file, write));
    stdout.write(`Backed up ${describe(header)} to ${file}\n`);
  }
  return EXIT.ok;
}

async function piecesOf(invocation: Invocation): Promise<AsyncIterable<Uint8Array>> {
  if (!isSet(invocation, "offline")) return connect(invocation).backup();
  const { backUpStore } = await invocation.loadPrograms();
  return encode(backUpStore(invocation.configuration, invocation.terminal));
}

async function* encode(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) yield Buffer.from(text);
}

/** Reads a backup while it writes it: what a server sent only in part is no backup. */
function copyBackup(
  pieces: AsyncIterable<Uint8Array>,
  name: string,
  write: WritePiece,
): Promise<BackupHeader> {
  async function* copy(): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      await write(piece);
      yield piece;
    }
  }
  return checkBackup(copy(), name);
}

function writerTo(output: Output): WritePiece {
  const decoder = new TextDecoder();
  return async (piece) => output.write(decoder.decode(piece, { stream: true }));
}

function describe({ count, revision, epoch }: BackupHeader): string {
  return `${count} objects at revision ${revision} of epoch ${epoch}`;
}
