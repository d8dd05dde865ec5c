import { readFileSync } from "node:fs";

/** Number of each right that programming the kernel takes; see capabilities(7). */
const NEEDED = {
  CAP_BPF: 39,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_PERFMON: 38,
} as const;
const CAP_SYS_ADMIN = 21;
/** What CAP_SYS_ADMIN stands for as well. */
const IN_SYS_ADMIN: readonly string[] = ["CAP_BPF", "CAP_PERFMON"];

/** Names of the rights that programming the kernel takes: programs and maps, devices, resets in other names, pointers. */
export const FORWARDING_CAPABILITIES = Object.keys(NEEDED) as readonly (keyof typeof NEEDED)[];

/**
 * Which of {@link FORWARDING_CAPABILITIES} this process lacks.
 *
 * @param status What `/proc/PID/status` says; this process's by default.
 */
export function missingCapabilities(status = readFileSync("/proc/self/status", "utf8")): readonly string[] {
  const [, hexadecimal = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  const effective = BigInt(`0x${hexadecimal}`);
  const has = (number: number) => ((effective >> BigInt(number)) & 1n) === 1n;
  return FORWARDING_CAPABILITIES.filter(
    (name) => !has(NEEDED[name]) && !(IN_SYS_ADMIN.includes(name) && has(CAP_SYS_ADMIN)),
  );
}
