import { formatIpv4 } from "../../foundation/index.ts";
import { destroySocket, type InetSocket, listSockets, type ResetSender } from "../../linux/index.ts";
import { decodeFlow, encodeFlowKey, type FlowRow, oppositeKey } from "./flow-rows.ts";
import type { Kernel } from "./kernel.ts";
import { CLOSE_MODE, LAYOUT, PROTOCOL_NUMBER } from "./layout.ts";
import { pause } from "./snapshot.ts";

const FLOWS_PER_PAUSE = 256;

/**
 * Ends flows whose time is up: a reset to both sides in the name of the other, then the kernel answers whatever still
 * comes. A member on this node gets its socket closed, too.
 *
 * @returns how many flows were cut.
 */
export async function cutFlows(
  kernel: Kernel,
  resets: ResetSender,
  flows: readonly FlowRow[],
  isLocalMember: (row: FlowRow) => boolean,
): Promise<number> {
  let cutCount = 0;
  for (let from = 0; from < flows.length; from += FLOWS_PER_PAUSE) {
    const chunk = flows.slice(from, from + FLOWS_PER_PAUSE);
    for (const flow of chunk) if (flow.protocol === PROTOCOL_NUMBER.TCP) resetBothSides(kernel, resets, flow);
    cutCount += kernel.closeFlows(CLOSE_MODE.forced, Buffer.concat(chunk.map(encodeFlowKey)), chunk.length);
    await pause();
  }
  closeLocalMembers(flows.filter(isLocalMember));
  return cutCount;
}

function resetBothSides(kernel: Kernel, resets: ResetSender, forward: FlowRow): void {
  const key = oppositeKey(forward);
  const value = Buffer.alloc(LAYOUT.flow.size);
  const reply = kernel.maps.flow.lookup(key, value) ? decodeFlow(key, 0, value, 0) : undefined;
  resets.send({
    sourceAddress: forward.destination,
    sourcePort: forward.destinationPort,
    destinationAddress: forward.source,
    destinationPort: forward.sourcePort,
    sequence: forward.lastAck,
    acknowledged: forward.lastSequence,
  });
  const hasAnswered = reply !== undefined && reply.lastSeenNs > 0;
  resets.send({
    sourceAddress: forward.newSource,
    sourcePort: forward.newSourcePort,
    destinationAddress: forward.newDestination,
    destinationPort: forward.newDestinationPort,
    sequence: hasAnswered ? reply.lastAck : forward.lastSequence,
    acknowledged: hasAnswered ? reply.lastSequence : 0,
  });
}

function closeLocalMembers(flows: readonly FlowRow[]): void {
  if (flows.length === 0) return;
  const wanted = new Set(
    flows.map((flow) =>
      pairName(flow.newDestination, flow.newDestinationPort, flow.newSource, flow.newSourcePort),
    ),
  );
  for (const socket of listSockets("TCP")) {
    const name = `${socket.localIp}:${socket.localPort} ${socket.remoteIp}:${socket.remotePort}`;
    if (wanted.has(name)) destroySocket(socket);
  }
}

function pairName(address: number, port: number, peer: number, peerPort: number): string {
  return `${formatIpv4(address)}:${port} ${formatIpv4(peer)}:${peerPort}`;
}

/** Closes the sockets of clients on this node. @returns the cookies of those that were found. */
export function closeLocalClients(
  cookies: ReadonlySet<bigint>,
  sockets: readonly InetSocket[],
): ReadonlySet<bigint> {
  const closed = new Set<bigint>();
  for (const socket of sockets) {
    if (cookies.has(socket.cookie) && destroySocket(socket)) closed.add(socket.cookie);
  }
  return closed;
}
