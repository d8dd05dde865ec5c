import { ERRNO } from "./kernel-error.ts";
import { type NetlinkSocket, unlessMissing } from "./netlink.ts";
import { cpuOrder, decodeAttributes, encodeAttribute } from "./netlink-codec.ts";

const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_VERSION = 1;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
/** Bytes of `struct genlmsghdr`. */
export const COMMAND_BYTES = 4;

/** `struct genlmsghdr`: command, version, two bytes unused. */
export function encodeCommandHeader(command: number, version: number): Buffer {
  return Buffer.from([command, version, 0, 0]);
}

/**
 * Looks up the number that a family of generic netlink has on this kernel, which loads its module where it can.
 *
 * @returns undefined where there is no such family.
 */
export function findFamily(netlink: NetlinkSocket, name: string): number | undefined {
  const query = Buffer.concat([
    encodeCommandHeader(CTRL_CMD_GETFAMILY, CTRL_VERSION),
    encodeAttribute(CTRL_ATTR_FAMILY_NAME, Buffer.from(`${name}\0`)),
  ]);
  const answer = unlessMissing(
    () => netlink.request(`look up the netlink family ${name}`, GENL_ID_CTRL, 0, query),
    [ERRNO.ENOENT],
  );
  const payload = answer?.[0]?.payload;
  const id = payload && decodeAttributes(payload.subarray(COMMAND_BYTES)).get(CTRL_ATTR_FAMILY_ID);
  return id === undefined ? undefined : cpuOrder.readU16(id, 0);
}
