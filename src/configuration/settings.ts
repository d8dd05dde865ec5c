import {
  ipv4,
  issuerUrl,
  listenAddress,
  listOf,
  objectName,
  oneOf,
  optionalText,
  secondsByName,
  serverUrl,
  storeLocation,
  syncSettings,
  text,
  truth,
  type ValueReader,
  wholeNumber,
  wrong,
} from "./values.ts";

/** The programs that read settings; the operator's verbs count as `client`, those that open the store themselves as `store`. */
export type Program = "up" | "server" | "agent" | "client" | "store";

/** What defaults depend on. */
export interface Surroundings {
  readonly program: Program;
  readonly isRoot: boolean;
  readonly homeDirectory: string;
  readonly hostname: string;
}

/** One setting: its flag, its `PARASAUS_*` variable and its line in the file are all made from its key. */
export interface Setting<Value> {
  /** Placeholder in the help; absent for switches. */
  readonly placeholder?: string;
  readonly description: string;
  readonly programs: readonly Program[];
  readonly read: ValueReader<Value>;
  /** Text of the default; empty = unset. `earlier` gives the effective text of a setting above this one. */
  readonly fallback: (around: Surroundings, earlier: (key: string) => string) => string;
  /** Not shown in the help. */
  readonly hidden?: true;
}

const SERVING = ["up", "server"] as const;
const FORWARDING = ["up", "agent"] as const;
const RUNNING = ["up", "server", "agent"] as const;
const KEEPING = ["up", "server", "store"] as const;

const nothing = () => "";
const always = (value: string) => () => value;

const driver: ValueReader<"auto" | "ebpf" | "ipvs" | "memory"> = (value) => {
  if (value === "auto" || value === "ebpf" || value === "ipvs" || value === "memory") return value;
  throw wrong(value, "auto, ebpf or ipvs");
};

const localClients: ValueReader<string> = (value) => {
  if (["off", "host", "pods"].includes(value) || value.startsWith("/")) return value;
  throw wrong(value, "off, host, pods or the absolute path of a cgroup");
};

function capacity(description: string, standard: number, most: number): Setting<number> {
  return {
    placeholder: "N",
    description,
    programs: FORWARDING,
    read: wholeNumber(1, most),
    fallback: always(String(standard)),
  };
}

/** Every setting there is, in the order of `parasaus config`. */
export const SETTINGS = {
  listen: {
    placeholder: "HOST:PORT",
    description: "where the API and the metrics listen",
    programs: SERVING,
    read: listenAddress,
    fallback: always("127.0.0.1:6780"),
  },
  insecure: {
    description: "permit plain HTTP off loopback: passwords and tokens can be read on the way",
    programs: SERVING,
    read: truth,
    fallback: always("false"),
  },
  noAuth: {
    description: "permit no accounts: everybody on this machine may do everything; on loopback only",
    programs: SERVING,
    read: truth,
    fallback: always("false"),
  },
  oidcIssuerUrl: {
    placeholder: "URL",
    description: "OIDC provider that accounts may log in at, in the console",
    programs: SERVING,
    read: issuerUrl,
    fallback: nothing,
  },
  oidcClientId: {
    placeholder: "ID",
    description:
      "how the provider knows this installation; it is told of https://HOST:PORT/api/oidc/callback",
    programs: SERVING,
    read: optionalText,
    fallback: nothing,
  },
  oidcClientSecretFile: {
    placeholder: "FILE",
    description: "file with the secret that the provider gave for it (default: none, PKCE alone)",
    programs: SERVING,
    read: optionalText,
    fallback: nothing,
  },
  oidcUsernameClaim: {
    placeholder: "CLAIM",
    description: "claim of the provider's token that is spec.oidcName of an account, such as email",
    programs: SERVING,
    read: text,
    fallback: always("sub"),
  },
  tlsCert: {
    placeholder: "FILE",
    description: "certificate to show, with what is between it and its authority (default: one of our own)",
    programs: SERVING,
    read: optionalText,
    fallback: nothing,
  },
  tlsKey: {
    placeholder: "FILE",
    description: "private key of --tls-cert",
    programs: SERVING,
    read: optionalText,
    fallback: nothing,
  },
  tlsClientCa: {
    placeholder: "FILE",
    description: "authorities whose client certificates are believed besides our own",
    programs: SERVING,
    read: optionalText,
    fallback: nothing,
  },
  tlsSan: {
    placeholder: "NAME,...",
    description: "more names and addresses for our own certificate",
    programs: SERVING,
    read: listOf(text),
    fallback: nothing,
  },
  nodeCertificateSeconds: {
    placeholder: "SECONDS",
    description: "life of the certificates that nodes get; they renew them after two thirds of it",
    programs: SERVING,
    read: wholeNumber(5, 31_536_000),
    fallback: always("86400"),
  },
  dataDir: {
    placeholder: "DIR",
    description: "where the store, the kubeconfig and what the node keeps are",
    programs: [...RUNNING, "store"],
    read: text,
    fallback: ({ isRoot, homeDirectory }) =>
      isRoot ? "/var/lib/parasaus" : `${homeDirectory}/.local/share/parasaus`,
  },
  store: {
    placeholder: "STORE",
    description: "where objects are kept: embedded (in the data directory) or etcd://HOST:PORT,HOST:PORT",
    programs: KEEPING,
    read: storeLocation,
    fallback: always("embedded"),
  },
  storeCa: {
    placeholder: "FILE",
    description: "certificates that those of the etcd members must be signed by; turns TLS on",
    programs: KEEPING,
    read: optionalText,
    fallback: nothing,
  },
  storeCert: {
    placeholder: "FILE",
    description: "own certificate towards etcd",
    programs: KEEPING,
    read: optionalText,
    fallback: nothing,
  },
  storeKey: {
    placeholder: "FILE",
    description: "its private key",
    programs: KEEPING,
    read: optionalText,
    fallback: nothing,
  },
  leaseSeconds: {
    placeholder: "SECONDS",
    description: "time after which other servers take over the work of one that has died",
    programs: SERVING,
    read: wholeNumber(2, 60),
    fallback: always("5"),
  },
  operationDays: {
    placeholder: "DAYS",
    description: "operations older than this are deleted",
    programs: SERVING,
    read: wholeNumber(1, 36_500),
    fallback: always("90"),
  },
  operationsKept: {
    placeholder: "N",
    description: "of the operations at most so many are kept, the newest",
    programs: SERVING,
    read: wholeNumber(100, 1_000_000),
    fallback: always("10000"),
  },
  autoCreateNamespaces: {
    placeholder: "true|false",
    description: "create a namespace when the first object in it is",
    programs: SERVING,
    read: truth,
    fallback: ({ program }) => String(program === "up"),
  },
  probeAddresses: {
    placeholder: "CLASS,...",
    description: "address classes that may be probed besides ordinary ones: loopback, link-local, metadata",
    programs: SERVING,
    read: listOf(oneOf(["loopback", "link-local", "metadata"])),
    fallback: nothing,
  },
  server: {
    placeholder: "URL,...",
    description: "servers to talk to, in order of preference",
    programs: ["agent", "client"],
    read: listOf(serverUrl),
    fallback: always("http://127.0.0.1:6780"),
  },
  ca: {
    placeholder: "FILE",
    description:
      "authority that servers' certificates must come from (default: those that this machine trusts)",
    programs: ["agent", "client"],
    read: optionalText,
    fallback: nothing,
  },
  tokenFile: {
    placeholder: "FILE",
    description: "one-time token that this node enrols with, made by `parasaus node token`",
    programs: ["agent"],
    read: optionalText,
    fallback: nothing,
  },
  agentTokenFile: {
    placeholder: "FILE",
    description:
      "agent.token of a server's data directory, for a server on this machine that is asked without TLS",
    programs: ["agent"],
    read: optionalText,
    fallback: nothing,
  },
  nodeName: {
    placeholder: "NAME",
    description: "name of this machine's Node",
    programs: FORWARDING,
    read: objectName,
    fallback: ({ hostname }) => hostname.toLowerCase(),
  },
  address: {
    placeholder: "IP,...",
    description: "addresses that pools from node-ports listen on (default: the global ones of the devices)",
    programs: FORWARDING,
    read: listOf(ipv4),
    fallback: nothing,
  },
  devices: {
    placeholder: "DEVICE,...",
    description: "network devices to forward on: auto (all but loopback) or a list",
    programs: FORWARDING,
    read: listOf(text),
    fallback: always("auto"),
  },
  localClients: {
    placeholder: "WHICH",
    description: "clients on the node itself: off, host, pods or a cgroup",
    programs: FORWARDING,
    read: localClients,
    fallback: always("host"),
  },
  driver: {
    placeholder: "DRIVER",
    description: "how the kernel is programmed: ebpf, ipvs, or auto: the first that works",
    programs: FORWARDING,
    read: driver,
    fallback: always("auto"),
  },
  driverDrainSeconds: {
    placeholder: "N",
    description:
      "how long connections of the driver before go on when --driver has changed, seconds; 0 = until they end",
    programs: FORWARDING,
    read: wholeNumber(0, 31_536_000),
    fallback: always("0"),
  },
  sourceAddresses: {
    placeholder: "IP,...",
    description: "source addresses of fullnat (default: the node's own towards each member)",
    programs: FORWARDING,
    read: listOf(ipv4),
    fallback: nothing,
  },
  cgroupRoot: {
    placeholder: "DIR",
    description: "mount point of cgroup2 (default: found by itself)",
    programs: FORWARDING,
    read: optionalText,
    fallback: nothing,
  },
  snapshot: {
    placeholder: "DIR",
    description:
      "where the node keeps its key, its certificate and the state that it starts from after a reboot",
    programs: FORWARDING,
    read: text,
    fallback: (_around, earlier) => `${earlier("dataDir")}/node`,
  },
  metricsListen: {
    placeholder: "HOST:PORT",
    description: "where a lone agent serves its metrics; port 0 = nowhere",
    programs: ["agent"],
    read: listenAddress,
    fallback: always("127.0.0.1:6781"),
  },
  maxFlows: capacity("rows of the kernel's flow table; a flow takes two", 1_048_576, 2 ** 26),
  maxHalfOpen: capacity("flows that may be half-open", 65_536, 2 ** 24),
  maxPools: capacity("pools that fit", 65_536, 2 ** 20),
  maxMembers: capacity("members that fit, over all pools", 131_072, 2 ** 22),
  maxSlots: capacity("slots of all scheduler tables together", 1_048_576, 2 ** 26),
  flowTimeouts: {
    placeholder: "NAME=SECONDS,...",
    description: "idle times after which flows end: established, half-open, closing, closed, udp",
    programs: FORWARDING,
    read: secondsByName(["established", "half-open", "closing", "closed", "udp"]),
    fallback: always("established=7800,half-open=15,closing=60,closed=70,udp=120"),
  },
  ipvsSync: {
    placeholder: "DEVICE[,id=N]",
    description:
      "with ipvs: tell other nodes of connections, and hear of theirs, on this device; nodes of one id (0) belong together",
    programs: FORWARDING,
    read: syncSettings,
    fallback: nothing,
  },
  logLevel: {
    placeholder: "LEVEL",
    description: "least level that is logged: debug, info, warn or error",
    programs: RUNNING,
    read: oneOf(["debug", "info", "warn", "error"]),
    fallback: always("info"),
  },
  logFormat: {
    placeholder: "FORMAT",
    description: "json, pretty, or auto (pretty on a terminal)",
    programs: RUNNING,
    read: oneOf(["auto", "json", "pretty"]),
    fallback: always("auto"),
  },
} satisfies Record<string, Setting<unknown>>;

/** Key of one setting in {@link Configuration}. */
export type SettingKey = keyof typeof SETTINGS;

/** The effective value of every setting. */
export type Configuration = {
  readonly [Key in SettingKey]: ReturnType<(typeof SETTINGS)[Key]["read"]>;
};

/** `dataDir` as users write it after `--` and in the file: `data-dir`. */
export function flagOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `dataDir` as a variable: `PARASAUS_DATA_DIR`. */
export function variableOf(key: string): string {
  return `PARASAUS_${flagOf(key).replaceAll("-", "_").toUpperCase()}`;
}

/** Every key, in order. */
export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];
