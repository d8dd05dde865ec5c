import { ParasausError } from "../../foundation/index.ts";
import { encodeCommandHeader, findFamily } from "../generic-netlink.ts";
import { ERRNO, kernelError } from "../kernel-error.ts";
import { NETLINK_GENERIC, type NetlinkSocket, openNetlink, unlessMissing } from "../netlink.ts";
import { MessageBatch } from "../netlink-batch.ts";
import { HEADER_BYTES, type NetlinkMessage, NLM_F_DUMP } from "../netlink-codec.ts";
import { complaintAboutCommand } from "./check.ts";
import { decodeDaemon, decodeInfo, decodeTimeouts, IpvsDecoder } from "./decode.ts";
import { encodeCommand, encodeDaemonStart, encodeDaemonStop, encodeQuery, encodeTimeouts } from "./encode.ts";
import { describeFailure } from "./failure.ts";
import { ipvsServiceName } from "./names.ts";
import { COMMAND, FAMILY_NAME, FAMILY_VERSION } from "./protocol.ts";
import type {
  IpvsCommand,
  IpvsDaemon,
  IpvsDestination,
  IpvsFailure,
  IpvsInfo,
  IpvsService,
  IpvsServiceEntry,
  IpvsServiceKey,
  IpvsTimeouts,
} from "./types.ts";

/**
 * The IPVS table of this process's network namespace, over generic netlink.
 *
 * Reading it is no snapshot: what others change while the kernel lists its services may be missing or be there still.
 * Every method throws ParasausError `KernelUnsupported` without CAP_NET_ADMIN, except `execute`, whose failures say so.
 */
export interface IpvsTable extends Disposable {
  /**
   * Carries out the commands in their order, many in one system call. One that is refused holds up no other.
   *
   * @returns one failure for each command that was not carried out, in the order of the commands.
   * @throws ParasausError `KernelError` when the kernel's answers are lost: some of the commands may then have been carried
   *   out, so read the table and decide anew. The next call works again.
   */
  execute(commands: readonly IpvsCommand[]): readonly IpvsFailure[];
  /** Every service, others' too. */
  services(): readonly IpvsService[];
  /** @returns undefined when there is no such service */
  service(key: IpvsServiceKey): IpvsService | undefined;
  /** A service's destinations; none when there is no such service. */
  destinations(key: IpvsServiceKey): readonly IpvsDestination[];
  /** Every service with its destinations. */
  dump(): readonly IpvsServiceEntry[];
  timeouts(): IpvsTimeouts;
  setTimeouts(timeouts: IpvsTimeouts): void;
  /** Synchronisation daemons that run: none, one, or one of each state. */
  daemons(): readonly IpvsDaemon[];
  /** @throws ParasausError `KernelError` with EEXIST when one of that state runs, with ENODEV when there is no such device */
  startDaemon(daemon: IpvsDaemon): void;
  /** @throws ParasausError `KernelError` with ESRCH when none runs */
  stopDaemon(state: IpvsDaemon["state"]): void;
  info(): IpvsInfo;
  /** Messages that change something, sent since it was opened. */
  readonly writeCount: number;
  /** Questions asked, one for each service whose destinations are listed, since it was opened. */
  readonly askCount: number;
  /** How often the socket was replaced because answers were lost or mixed two states, since it was opened. */
  readonly resyncCount: number;
}

/**
 * Opens the IPVS table of this process's network namespace. The kernel loads its module where it can.
 *
 * @throws ParasausError `KernelUnsupported` where there is no IPVS, and says what to load
 */
export function openIpvs(): IpvsTable {
  const netlink = openNetlink(NETLINK_GENERIC);
  try {
    return openIpvsOver(netlink);
  } catch (failure) {
    netlink[Symbol.dispose]();
    throw failure;
  }
}

/** The table over a socket of generic netlink, which it closes. */
export function openIpvsOver(netlink: NetlinkSocket): IpvsTable {
  const family = findFamily(netlink, FAMILY_NAME);
  if (family === undefined) {
    throw new ParasausError(
      "KernelUnsupported",
      'Cannot use IPVS: the kernel does not have it; load it with "modprobe ip_vs", which needs a kernel with CONFIG_IP_VS',
    );
  }
  return new NetlinkIpvsTable(netlink, family);
}

class NetlinkIpvsTable implements IpvsTable {
  readonly #netlink: NetlinkSocket;
  readonly #family: number;
  readonly #batch = new MessageBatch();
  readonly #decoder = new IpvsDecoder();
  #writeCount = 0;
  #askCount = 0;

  constructor(netlink: NetlinkSocket, family: number) {
    this.#netlink = netlink;
    this.#family = family;
  }

  get writeCount(): number {
    return this.#writeCount;
  }

  get askCount(): number {
    return this.#askCount;
  }

  get resyncCount(): number {
    return this.#netlink.resyncCount;
  }

  execute(commands: readonly IpvsCommand[]): readonly IpvsFailure[] {
    const failures: IpvsFailure[] = [];
    let batched: number[] = [];
    const flush = () => {
      failures.push(...this.#carryOut(commands, batched));
      batched = [];
    };
    for (const [index, command] of commands.entries()) {
      const complaint = complaintAboutCommand(command);
      if (complaint !== undefined) failures.push(describeFailure(index, command, ERRNO.EINVAL, complaint));
      else {
        encodeCommand(this.#batch, this.#family, command);
        batched.push(index);
        if (this.#batch.isFull) flush();
      }
    }
    flush();
    return failures.sort((one, other) => one.index - other.index);
  }

  services(): readonly IpvsService[] {
    const found = new Map<string, IpvsService>();
    // The kernel resumes a dump by counting, so that one which was added meanwhile makes it tell another one twice.
    for (const { payload } of this.#list("list IPVS services", COMMAND.GET_SERVICE)) {
      const service = this.#decoder.service(payload);
      found.set(ipvsServiceName(service.key), service);
    }
    return [...found.values()];
  }

  service(key: IpvsServiceKey): IpvsService | undefined {
    const action = `read service ${ipvsServiceName(key)}`;
    const answer = unlessMissing(() => this.#askAbout(action, COMMAND.GET_SERVICE, 0, key), [ERRNO.ESRCH]);
    const [message] = answer ?? [];
    return message && this.#decoder.service(message.payload);
  }

  destinations(key: IpvsServiceKey): readonly IpvsDestination[] {
    const action = `list the destinations of service ${ipvsServiceName(key)}`;
    return this.#askAbout(action, COMMAND.GET_DEST, NLM_F_DUMP, key).map(({ payload }) =>
      this.#decoder.destination(payload),
    );
  }

  dump(): readonly IpvsServiceEntry[] {
    return this.services().map((service) => ({ service, destinations: this.destinations(service.key) }));
  }

  timeouts(): IpvsTimeouts {
    return decodeTimeouts(this.#ask("read the IPVS time-outs", COMMAND.GET_CONFIG));
  }

  setTimeouts(timeouts: IpvsTimeouts): void {
    encodeTimeouts(this.#batch, this.#family, timeouts);
    this.#write("set the IPVS time-outs");
  }

  daemons(): readonly IpvsDaemon[] {
    const answer = this.#list("list IPVS synchronisation daemons", COMMAND.GET_DAEMON);
    return answer.map(({ payload }) => decodeDaemon(payload));
  }

  startDaemon(daemon: IpvsDaemon): void {
    encodeDaemonStart(this.#batch, this.#family, daemon);
    this.#write(`start the IPVS ${daemon.state} daemon on "${daemon.interface}"`);
  }

  stopDaemon(state: IpvsDaemon["state"]): void {
    encodeDaemonStop(this.#batch, this.#family, state);
    this.#write(`stop the IPVS ${state} daemon`);
  }

  info(): IpvsInfo {
    return decodeInfo(this.#ask("read the version of IPVS", COMMAND.GET_INFO));
  }

  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }

  #list(action: string, command: number): readonly NetlinkMessage[] {
    return this.#question(action, NLM_F_DUMP, encodeCommandHeader(command, FAMILY_VERSION));
  }

  #question(action: string, flags: number, payload: Buffer): readonly NetlinkMessage[] {
    this.#askCount += 1;
    return this.#netlink.request(action, this.#family, flags, payload);
  }

  #ask(action: string, command: number): Buffer {
    const answer = this.#question(action, 0, encodeCommandHeader(command, FAMILY_VERSION));
    const payload = answer[0]?.payload;
    if (payload === undefined)
      throw new ParasausError(
        "KernelError",
        `Cannot ${action}: the kernel's answer is empty, expected one message`,
      );
    return payload;
  }

  #askAbout(action: string, command: number, flags: number, key: IpvsServiceKey): readonly NetlinkMessage[] {
    this.#batch.clear();
    encodeQuery(this.#batch, this.#family, command, key);
    const query = this.#batch.seal(0).subarray(HEADER_BYTES);
    try {
      return this.#question(action, flags, query);
    } finally {
      this.#batch.clear();
    }
  }

  #carryOut(commands: readonly IpvsCommand[], indexes: readonly number[]): readonly IpvsFailure[] {
    return this.#send("change the IPVS table").flatMap((refusal) => {
      const index = indexes[refusal.index] ?? 0;
      const command = commands[index];
      return command ? [describeFailure(index, command, refusal.errno, refusal.words)] : [];
    });
  }

  #write(action: string): void {
    const [refusal] = this.#send(action);
    if (refusal) throw kernelError(action, refusal.errno, refusal.words);
  }

  #send(action: string) {
    const count = this.#batch.count;
    if (count === 0) return [];
    try {
      this.#writeCount += count;
      return this.#netlink.requestAll(action, this.#batch);
    } finally {
      this.#batch.clear();
    }
  }
}
