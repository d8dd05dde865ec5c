import type { IpvsWorld } from "./ipvs-world.ts";
import { labProgram, linesOf, nextLine } from "./traffic.ts";

/** The client's address of IPv6. */
export const CLIENT_IPV6 = "2001:db8:1::2";
/** A member's address of IPv6. @param number From 1 on. */
export const memberIpv6 = (number: number) => `2001:db8:2:${number}::2`;

/** Gives the topology addresses of IPv6 beside those of IPv4, and members that answer there. */
export async function joinByIpv6({ topology }: IpvsWorld, port: number): Promise<void> {
  const { client, node, members } = topology;
  client.run("modprobe", "ipv6");
  const add = (namespace: typeof client, device: string, ip: string) =>
    namespace.run("ip", "-6", "address", "add", `${ip}/64`, "dev", device, "nodad");
  add(client, "node", CLIENT_IPV6);
  add(node, "client", "2001:db8:1::1");
  client.run("ip", "-6", "route", "add", "default", "via", "2001:db8:1::1");
  for (const [index, { namespace, name }] of members.slice(0, 2).entries()) {
    const number = index + 1;
    add(node, name, `2001:db8:2:${number}::1`);
    add(namespace, "node", memberIpv6(number));
    namespace.run("ip", "-6", "route", "add", "default", "via", `2001:db8:2:${number}::1`);
    const child = namespace.start(labProgram("member.ts", name, String(port), "", "::"));
    await nextLine(linesOf(child), child);
  }
}
