import { type BpfMap, mapOfFd } from "./bpf-map.ts";
import { type BpfProgram, programOfFd } from "./bpf-program.ts";
import { checkResult, kernelError } from "./kernel-error.ts";
import { loadLibbpf, withLibbpfLog } from "./libbpf.ts";
import { duplicateFd } from "./libc.ts";
import { asAddress, asText, lastErrno, loadKoffi } from "./native.ts";

const VERIFIER_LOG_BYTES = 256 * 1024;
const QUOTED_LOG_BYTES = 2000;

/** How an object file is loaded. */
export interface LoadOptions {
  readonly path: string;
  /** Folder of bpffs: maps found there are used again, others are created and pinned there. */
  readonly pinFolder?: string;
  /** Entries per map, where they differ from what the object says. */
  readonly capacities?: Readonly<Record<string, number>>;
}

/** An object file in the kernel. The maps and programs have file descriptors of their own. */
export interface LoadedObject {
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** By the name of the C function. */
  readonly programs: ReadonlyMap<string, BpfProgram>;
}

/**
 * Loads an object file. The verifier's last words are in the error when it refuses.
 *
 * @throws ParasausError `KernelError`, `KernelUnsupported` with the object's name and libbpf's explanation
 */
export function loadBpfObject(options: LoadOptions): LoadedObject {
  return withLibbpfLog((log) => {
    const library = loadLibbpf();
    const object = asAddress(library.bpf_object__open_file(options.path, null));
    if (object === 0n) throw kernelError(`open the BPF object "${options.path}"`, lastErrno(), log());
    const verifierLogs = giveLogBuffers(object);
    try {
      prepareMaps(object, options);
      const result = library.bpf_object__load(object);
      checkResult(result, `load the BPF object "${options.path}"`, () => explain(verifierLogs, log()));
      return { maps: collectMaps(object), programs: collectPrograms(object) };
    } finally {
      library.bpf_object__close(object);
      for (const { memory } of verifierLogs) loadKoffi().free(memory);
    }
  });
}

interface VerifierLog {
  readonly program: string;
  readonly memory: bigint;
}

function giveLogBuffers(object: bigint): readonly VerifierLog[] {
  const koffi = loadKoffi();
  const library = loadLibbpf();
  return programsOf(object).map((program) => {
    const memory = asAddress(koffi.alloc("uint8_t", VERIFIER_LOG_BYTES));
    koffi.encode(memory, "uint8_t", 0);
    library.bpf_program__set_log_buf(program, memory, VERIFIER_LOG_BYTES);
    return { program: asText(library.bpf_program__name(program)), memory };
  });
}

function explain(verifierLogs: readonly VerifierLog[], libbpfLog: string): string {
  const koffi = loadKoffi();
  const refused = verifierLogs
    .map(({ program, memory }) => ({ program, text: String(koffi.decode(memory, "char", -1)).trimEnd() }))
    .filter(({ text }) => text.length > 0 && !text.startsWith("processed "));
  const quoted = refused.map(
    ({ program, text }) => `the verifier refused "${program}": ...${text.slice(-QUOTED_LOG_BYTES)}`,
  );
  return [...quoted, libbpfLog.slice(-QUOTED_LOG_BYTES)].filter((part) => part !== "").join("\n");
}

function prepareMaps(object: bigint, options: LoadOptions): void {
  const library = loadLibbpf();
  for (const map of mapsOf(object)) {
    const name = asText(library.bpf_map__name(map));
    // Maps with a dot are the program's own sections (.rodata, .bss): they belong to one load.
    if (name.includes(".")) continue;
    const capacity = options.capacities?.[name];
    if (capacity !== undefined)
      checkResult(library.bpf_map__set_max_entries(map, capacity), `size map "${name}"`);
    // Without a folder nothing is pinned, whatever the object itself asks for.
    const pin = options.pinFolder === undefined ? null : `${options.pinFolder}/${name}`;
    checkResult(library.bpf_map__set_pin_path(map, pin), `pin map "${name}"`);
  }
}

function collectMaps(object: bigint): ReadonlyMap<string, BpfMap> {
  const library = loadLibbpf();
  const entries = mapsOf(object).map(
    (map) => [asText(library.bpf_map__name(map)), mapOfFd(duplicateFd(library.bpf_map__fd(map)))] as const,
  );
  return new Map(entries);
}

function collectPrograms(object: bigint): ReadonlyMap<string, BpfProgram> {
  const library = loadLibbpf();
  const entries = programsOf(object).map((program) => {
    const name = asText(library.bpf_program__name(program));
    return [name, programOfFd(duplicateFd(library.bpf_program__fd(program)))] as const;
  });
  return new Map(entries);
}

function mapsOf(object: bigint): readonly bigint[] {
  return walk((previous) => loadLibbpf().bpf_object__next_map(object, previous));
}

function programsOf(object: bigint): readonly bigint[] {
  return walk((previous) => loadLibbpf().bpf_object__next_program(object, previous));
}

function walk(next: (previous: bigint | null) => unknown): readonly bigint[] {
  const found: bigint[] = [];
  for (let at = asAddress(next(null)); at !== 0n; at = asAddress(next(at))) found.push(at);
  return found;
}
