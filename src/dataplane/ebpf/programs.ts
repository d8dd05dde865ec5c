import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { type Logger, ParasausError } from "../../foundation/index.ts";
import {
  type BpfMap,
  type BpfProgram,
  loadBpfObject,
  openPinnedMap,
  openPinnedProgram,
  pinObject,
} from "../../linux/index.ts";
import { MAP_NAMES } from "./kernel.ts";
import type { EbpfCapacities } from "./options.ts";

/** `enum bpf_attach_type` of the programs for clients on this node, by the name of the C function. */
export const CGROUP_ATTACH_TYPES: Readonly<Record<string, number>> = {
  connect4: 10,
  connect6: 11,
  sendmsg4: 14,
  sendmsg6: 15,
  recvmsg4: 19,
  recvmsg6: 20,
  getpeername4: 29,
  getpeername6: 30,
  sock_release: 34,
};

/** Programs that are pinned although no device or cgroup has them: the agent runs them. */
const NEEDED_PROGRAMS = ["tc_ingress", "close_flows", "adjust_load", "write_members"];

/** What is in the kernel for this node. */
export interface OpenPrograms {
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: ReadonlyMap<string, BpfProgram>;
  /** Nothing was loaded: an earlier agent had loaded the same object. */
  readonly isAdopted: boolean;
}

/** Where and what to open. */
export interface OpenProgramsOptions {
  readonly objectFile: string;
  /** The node's own folder in bpffs. */
  readonly pinFolder: string;
  readonly capacities: EbpfCapacities;
  readonly logger: Logger;
}

/** Opens what an earlier agent pinned from the same object file, or loads the object with the maps that are pinned. */
export function openPrograms(options: OpenProgramsOptions): OpenPrograms {
  makePinFolder(options.pinFolder);
  const folder = `${options.pinFolder}/${programFolderName(options.objectFile)}`;
  return adoptPrograms(options, folder) ?? loadPrograms(options, folder);
}

function makePinFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new ParasausError("KernelUnsupported", `Cannot keep tables under "${folder}": it cannot be made`, {
      cause,
    });
  }
}

/** Removes the programs of other object files, once nothing runs them any more. */
export function removeOtherPrograms(options: OpenProgramsOptions): void {
  const current = programFolderName(options.objectFile);
  for (const name of readdirSync(options.pinFolder)) {
    if (name.startsWith("programs-") && name !== current)
      rmSync(`${options.pinFolder}/${name}`, { recursive: true });
  }
}

/** Content decides: the same object in another place is the same. */
function programFolderName(objectFile: string): string {
  try {
    const digest = createHash("sha256").update(readFileSync(objectFile)).digest("hex");
    return `programs-${digest.slice(0, 12)}`;
  } catch (cause) {
    const remedy = "Build it with npm run setup, which takes clang and bpftool";
    throw new ParasausError("KernelUnsupported", `Cannot read the BPF object "${objectFile}". ${remedy}`, {
      cause,
    });
  }
}

function adoptPrograms(options: OpenProgramsOptions, folder: string): OpenPrograms | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder);
  const maps = openAll(MAP_NAMES, (name) => openPinnedMap(`${options.pinFolder}/${name}`));
  const programs = openAll(names, (name) => openPinnedProgram(`${folder}/${name}`));
  // An agent that was killed while pinning left half of it.
  const isWhole =
    MAP_NAMES.every((name) => maps.has(name)) && NEEDED_PROGRAMS.every((name) => programs.has(name));
  if (isWhole && names.includes(COMPLETE)) return { maps, programs, isAdopted: true };
  for (const open of [...maps.values(), ...programs.values()]) open.close();
  return undefined;
}

/** Pinned last: a second name of one program, which says that all others are there. */
const COMPLETE = "complete";

function openAll<Value>(
  names: readonly string[],
  open: (name: string) => Value | undefined,
): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  for (const name of names) {
    const value = open(name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

function loadPrograms(options: OpenProgramsOptions, folder: string): OpenPrograms {
  rmSync(folder, { recursive: true, force: true });
  const capacities = capacitiesFor(options);
  const { maps, programs } = loadBpfObject({
    path: options.objectFile,
    pinFolder: options.pinFolder,
    capacities,
  });
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, program] of programs) pinObject(program.fd, `${folder}/${name}`);
  const [first] = programs.values();
  if (first) pinObject(first.fd, `${folder}/${COMPLETE}`);
  return { maps, programs, isAdopted: false };
}

/** Sizes of the maps. One that is pinned cannot be resized: its own size wins, and that is said. */
function capacitiesFor({ capacities, pinFolder, logger }: OpenProgramsOptions): Record<string, number> {
  const wanted: Record<string, number> = {
    service: capacities.poolCount,
    pool: capacities.poolCount,
    slot: capacities.slotCount,
    member: capacities.memberCount,
    member_traffic: capacities.memberCount,
    flow: capacities.flowCount,
    half_open_ring: capacities.halfOpenCount,
  };
  for (const [name, wantedCount] of Object.entries(wanted)) {
    const pinned = openPinnedMap(`${pinFolder}/${name}`);
    if (pinned === undefined) continue;
    wanted[name] = pinned.capacityCount;
    pinned.close();
    if (pinned.capacityCount !== wantedCount) {
      logger.warn("table keeps its size until it is uninstalled", {
        table: name,
        entries: pinned.capacityCount,
        wanted: wantedCount,
      });
    }
  }
  return wanted;
}
