/** Address of a virtual service. */
export type IpvsServiceKey =
  | {
      readonly kind: "address";
      readonly family: 4 | 6;
      readonly protocol: IpvsProtocol;
      readonly ip: string;
      /** 0-65535; 0 = every port, which needs persistence. */
      readonly port: number;
    }
  | {
      readonly kind: "mark";
      readonly family: 4 | 6;
      /** Firewall mark of its packets, 1 to 2^32-1. */
      readonly mark: number;
    };

/** Protocols that IPVS balances. */
export type IpvsProtocol = "TCP" | "UDP" | "SCTP";

/** Switches of a service. What the last three mean is up to the scheduler: `sh` and `mh` know fallback and port. */
export interface IpvsServiceFlags {
  readonly persistent: boolean;
  readonly onePacket: boolean;
  readonly sched1: boolean;
  readonly sched2: boolean;
  readonly sched3: boolean;
}

/** What a virtual service is told to be. */
export interface IpvsServiceSettings {
  readonly key: IpvsServiceKey;
  /** As the kernel calls it: `rr`, `wlc`, `mh`; up to 15 characters; `none` = no scheduler. */
  readonly scheduler: string;
  readonly flags: IpvsServiceFlags;
  /** How long a client stays with its destination, 0 to 2^31-1; 0 without persistence. */
  readonly persistenceSeconds: number;
  /** Leading bits of a client's address that persistence goes by: 1-32 or 1-128. */
  readonly netmask: number;
  /** `sip`; absent = none. */
  readonly persistenceEngine?: string;
}

/** A virtual service as the kernel has it. */
export interface IpvsService extends IpvsServiceSettings {
  readonly stats: IpvsStats;
}

/** How packets reach a destination. */
export type IpvsForwarding = "masq" | "local" | "tunnel" | "route" | "bypass";

/** How packets to a destination are wrapped. */
export interface IpvsTunnel {
  readonly type: "ipip" | "gue" | "gre";
  /** UDP port of the destination for `gue`, 1-65535; 0 for the others. */
  readonly port: number;
  /** `remote`: the far end computes the inner checksum (GUE). */
  readonly checksum: "none" | "outer" | "remote";
}

/** Address of a destination within its service. */
export interface IpvsDestinationKey {
  /** May differ from the service's where it is tunnelled. */
  readonly family: 4 | 6;
  readonly ip: string;
  /** 0-65535. */
  readonly port: number;
}

/** What a destination is told to be. */
export interface IpvsDestinationSettings extends IpvsDestinationKey {
  readonly forwarding: IpvsForwarding;
  /** 0 to 2^31-1; 0 = no new connections. */
  readonly weight: number;
  /** Connections from which on it gets no new ones, 0 to 2^32-1; 0 = no limit. */
  readonly upperThreshold: number;
  /** Connections below which it gets new ones again, 0 to 2^32-1; 0 = three quarters of the upper one. */
  readonly lowerThreshold: number;
  /** With `tunnel` only; absent = IPIP. */
  readonly tunnel?: IpvsTunnel;
}

/** A destination as the kernel has it. */
export interface IpvsDestination extends IpvsDestinationSettings {
  /** Established connections, 0 to 2^32-1. */
  readonly activeConnections: number;
  /** Others that it remembers, 0 to 2^32-1. */
  readonly inactiveConnections: number;
  /** Clients bound to it, 0 to 2^32-1. */
  readonly persistentConnections: number;
  readonly stats: IpvsStats;
}

/** Counters of a service or a destination since it was made. */
export interface IpvsStats {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
  /** Per second, as the kernel estimates them every two seconds. */
  readonly rates: IpvsRates;
}

/** What happens each second. */
export interface IpvsRates {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
}

/** One change of the table. */
export type IpvsCommand =
  | { readonly kind: "add-service" | "edit-service"; readonly service: IpvsServiceSettings }
  | { readonly kind: "delete-service"; readonly key: IpvsServiceKey }
  | {
      readonly kind: "add-destination" | "edit-destination";
      readonly service: IpvsServiceKey;
      readonly destination: IpvsDestinationSettings;
    }
  | {
      readonly kind: "delete-destination";
      readonly service: IpvsServiceKey;
      readonly destination: IpvsDestinationKey;
    };

/** A command that was not carried out. */
export interface IpvsFailure {
  /** Which of the commands, from 0. */
  readonly index: number;
  /** Name of the errno value: `EEXIST`. */
  readonly errno: string;
  /** Names object and cause: `Cannot add service TCP 10.0.0.1:80: it exists already (EEXIST)`. */
  readonly message: string;
}

/** How long the kernel remembers connections that say nothing. */
export interface IpvsTimeouts {
  /** Established TCP, 1 to 2^31-1. */
  readonly tcpSeconds: number;
  /** TCP after a FIN, 1 to 2^31-1. */
  readonly tcpFinSeconds: number;
  /** UDP, 1 to 2^31-1. */
  readonly udpSeconds: number;
}

/** A synchronisation daemon of the kernel: `master` tells others of its connections, `backup` listens. */
export interface IpvsDaemon {
  readonly state: "master" | "backup";
  /** Device that it speaks on. */
  readonly interface: string;
  /** Only daemons with the same number listen to each other, 0-255; a backup with 0 listens to all. */
  readonly syncId: number;
  /** Largest payload of a message, bytes; default: what the device takes. */
  readonly maximumBytes?: number;
  /** Address that it sends to; default 224.0.0.81. */
  readonly multicastGroup?: string;
  /** UDP port, 1-65535; default 8848. */
  readonly multicastPort?: number;
  /** Hops that its messages may take, 1-255; default 1. */
  readonly multicastTtl?: number;
}

/** A service with its destinations. */
export interface IpvsServiceEntry {
  readonly service: IpvsService;
  readonly destinations: readonly IpvsDestination[];
}

/** What IPVS is on this kernel. */
export interface IpvsInfo {
  /** `1.2.1`. */
  readonly version: string;
  /** Slots of the hash table of connections. */
  readonly connectionTableSize: number;
}
