import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { kernelName } from "./kernel-name.ts";
import { openKernelTable } from "./kernel-table.ts";
import { Programme, rangesOf } from "./programme.ts";
import { type RecordPlace, readRecord, recordFileFor } from "./record.ts";

/** What the operator has let pools take over. */
interface Allowed {
  readonly kernel: string;
  /** Services, by `placeKey`. */
  readonly places: readonly string[];
}

/**
 * Lets pools take over the services that somebody else has in the kernel now: those that a pool wants exactly as they are
 * become ours, without a message to the kernel. It counts until the next boot; later services of others are not meant.
 *
 * @returns the services, `TCP 192.0.2.10:80`
 * @throws ParasausError `KernelUnsupported` without IPVS; `KernelError`
 */
export function allowAdoption(place: RecordPlace): readonly string[] {
  const kernel = kernelName();
  const recorded = readRecord(recordFileFor(place), kernel);
  const programme = new Programme();
  programme.setNodeAddresses(recorded?.nodeAddresses ?? []);
  for (const [uid, entry] of recorded?.entries ?? []) programme.set(uid, entry);
  using table = openKernelTable();
  const places = [...table.read(rangesOf(programme)).services.keys()].filter(
    (each) => !programme.ownerOf(each) && !recorded?.leaving.has(each),
  );
  const file = allowanceFileFor(place);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const allowed: Allowed = { kernel, places };
  writeFileSync(`${file}.new`, JSON.stringify(allowed), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return places;
}

/** The services that pools may take over, by `placeKey`; none where the operator said nothing about this kernel. */
export function readAllowance(file: string, kernel: string): ReadonlySet<string> {
  if (!existsSync(file)) return new Set();
  const allowed = JSON.parse(readFileSync(file, "utf8")) as Allowed;
  return new Set(allowed.kernel === kernel ? allowed.places : []);
}

/** Beside the record. */
export function allowanceFileFor(place: RecordPlace): string {
  return recordFileFor(place).replace(/jsonl$/, "adopt.json");
}
