import type { AddressSource } from "../../agent/index.ts";
import type { Clock } from "../../foundation/index.ts";
import { listAddresses, listDevices, watchNetwork } from "../../linux/index.ts";

/**
 * Follows the global IPv4 addresses of this machine's devices.
 *
 * @param devices `["auto"]` = all but loopback, else names.
 */
export function followNodeAddresses(devices: readonly string[], clock: Clock): AddressSource {
  return async (onAddresses, signal) => {
    let told: string | undefined;
    const tell = () => {
      const addresses = readNodeAddresses(devices);
      if (addresses.join() === told) return;
      told = addresses.join();
      onAddresses(addresses);
    };
    const watch = watchNetwork({ clock, signal, onChanges: tell });
    tell();
    await watch;
  };
}

function readNodeAddresses(devices: readonly string[]): readonly string[] {
  const isWanted = (name: string) => devices.includes("auto") || devices.includes(name);
  const wanted = listDevices().filter(({ isLoopback, name }) => !isLoopback && isWanted(name));
  const indexes = new Set(wanted.map(({ index }) => index));
  const addresses = listAddresses().filter(
    ({ scope, deviceIndex }) => scope === "global" && indexes.has(deviceIndex),
  );
  return [...new Set(addresses.map(({ ip }) => ip))].sort();
}
