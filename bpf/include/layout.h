/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * What the kernel programs and the agent share: keys and values of every map.
 * Addresses and ports are in network byte order, as packets carry them; everything else in the CPU's.
 * Times are nanoseconds of CLOCK_MONOTONIC; packets and sockets are timed by the coarse clock, a tick behind at most.
 * Padding is explicit. A change of any size or offset raises LAYOUT_VERSION (the pin directory is v<LAYOUT_VERSION>).
 */
#include <linux/types.h>

#define LAYOUT_VERSION 1
#define UID_BYTES 16
#define MAX_MEMBERS 1024 /* of one pool */

/* Key of `service`. address 0 = every address of this node (see `node_address`). */
struct service_key {
	__be32 address;
	__be16 port;
	__u8 protocol;
	__u8 pad;
};

enum scheduler { SCHED_RR = 1, SCHED_WRR, SCHED_LC, SCHED_WLC, SCHED_SH, SCHED_MH };
enum forwarding { FORWARD_FULLNAT = 1, FORWARD_NAT };

/*
 * Value of `service`: one connect address. Published by one update, so that a packet sees all of the old one or all of
 * the new one. It points at regions of `slot` that nobody writes while they are published.
 */
struct service {
	__u8 pool_uid[UID_BYTES];
	__u32 pool;		  /* index into `pool` */
	__u32 sequence_at;	  /* rr wrr: the sequence; sh mh: the Maglev table: first slot */
	__u32 sequence_count;	  /* slots in it; 0 = no member takes new flows: RST */
	__u32 eligible_at;	  /* lc wlc: every eligible member once: first slot */
	__u32 eligible_count;
	__u32 affinity_seconds;	  /* 0 = none */
	__u64 closing_deadline_ns; /* 0 = serving; else new flows get RST, at the deadline old ones too */
	__u8 scheduler;
	__u8 forwarding;
	__u8 pad[6];
};

/* Value of `slot` (ARRAY, one big one). */
struct slot {
	__u32 member; /* index into `member` */
	__u32 weight; /* 1-256 */
};

/* Value of `pool` (ARRAY): what lives as long as the pool, whatever table is published. */
struct pool {
	__u8 uid[UID_BYTES]; /* all zero = free */
	__u64 ticket;	     /* rr wrr: next place in the sequence; fetch-add, shared by TC and cgroup hooks */
	__u64 reserved[5];
};

enum member_state { MEMBER_FREE, MEMBER_ACTIVE, MEMBER_PAUSED, MEMBER_DRAINING, MEMBER_CUT };
#define MEMBER_LOCAL 1 /* flags: the address is this node's own */

/* Value of `member` (ARRAY): one member of one pool. Its index is stable for as long as flows may point at it. */
struct member {
	__u8 pool_uid[UID_BYTES]; /* all zero = free */
	__be32 address;
	__be16 port;
	__u8 state;
	__u8 flags;
	__u32 pool;   /* index into `pool` */
	__u32 weight; /* 0-256 */
	__be32 source; /* fullnat: this node's address towards the member; 0 = unknown */
	__u32 reserved;
	__u64 drain_deadline_ns; /* DRAINING: flows get RST from then on, also without an agent */
	/* flows that are half-open, established or closing, and entries of local_flow (not local_datagram); atomic.
	 * A map update would overwrite it: once a member may have flows, write it with `write_members`. */
	__s64 load;
};

/* Value of `member_traffic` (PERCPU_ARRAY, same index as `member`). in = client to member. */
struct member_traffic {
	__u64 connections;
	__u64 packets_in;
	__u64 bytes_in;
	__u64 packets_out;
	__u64 bytes_out;
};

/* Key of `flow`: the packet's own tuple as it arrives. */
struct flow_key {
	__be32 source;
	__be32 destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 pad[3];
};

enum flow_role { FLOW_FORWARD = 1, FLOW_REPLY };
enum flow_state {
	FLOW_HALF_OPEN = 1, /* counted in member.load; UDP: not answered yet */
	FLOW_ESTABLISHED,   /* counted */
	FLOW_CLOSING,	    /* one side has sent FIN; counted */
	FLOW_CLOSED,	    /* both sides, or RST; not counted; lingers for late packets and port reuse rules */
};
enum flow_why { WHY_SCHEDULED = 1, WHY_AFFINITY, WHY_ADOPTED, WHY_RESCHEDULED };
#define FLOW_FIN_CLIENT 1 /* flags of the FORWARD entry */
#define FLOW_FIN_MEMBER 2
#define FLOW_MEMBER_FIRST 4 /* the member closed first: its port may be in TIME_WAIT there */
#define FLOW_RESET 8
#define FLOW_CUT 16 /* by us (close_flows, or its member was cut): packets get RST; also set in the REPLY entry */

/*
 * Value of `flow` (HASH, never LRU): two entries a flow. The opposite entry's key is this entry's new tuple, swapped:
 * { new_destination, new_source, new_destination_port, new_source_port }.
 * `state` and `flags` are kept in the FORWARD entry alone; whoever moves `state` out of a counted one by
 * compare-and-exchange takes one off member.load.
 * In a REPLY entry `state` is 0, or FLOW_CLOSED: then its FORWARD entry is gone and it only keeps its port from being
 * used again while the member may be in TIME_WAIT; last_sequence and last_timestamp are then those of the client.
 */
struct flow {
	__be32 new_source;
	__be32 new_destination;
	__be16 new_source_port;
	__be16 new_destination_port;
	__u32 member; /* index into `member` */
	__u32 pool;   /* index into `pool` */
	__u32 state;
	__u32 flags;
	__u8 role;
	__u8 why;
	__u8 scheduler;
	__u8 forwarding;
	__u64 created_ns;
	__u64 last_seen_ns; /* of this direction */
	__u32 last_sequence; /* of this direction: host order, behind the last byte sent */
	__u32 last_ack;	     /* of this direction: host order */
	__u32 last_timestamp; /* of this direction: TCP timestamp value, 0 = none */
	__u32 ifindex;	     /* next hop, valid while route_epoch is config.route_epoch; 0 = unknown */
	__u32 route_epoch;
	__u8 next_mac[6];
	__u8 own_mac[6];
	__u32 mtu; /* towards the next hop, bytes of an IP packet; 0 = unknown */
	__u32 pad;
	__u64 reserved;
};

/* Key and value of `affinity` (HASH). */
struct affinity_key {
	__u32 pool;
	__be32 client;
};
struct affinity {
	__u32 member;
	__u32 pad;
	__u64 last_ns;
};

/* Value of `local_flow` (HASH, key: socket cookie u64): a socket of this machine that was connected to a member. */
struct local_flow {
	__be32 address; /* connect address that was dialled */
	__be16 port;
	__u8 protocol;
	__u8 why;
	__u32 member;
	__u32 pool;
	__u64 created_ns;
};

/* Key and value of `local_datagram` (HASH): unconnected UDP sockets; one entry a direction. */
struct local_datagram_key {
	__u64 cookie;
	__be32 address; /* connect address (role FLOW_FORWARD) or member (FLOW_REPLY) */
	__be16 port;
	__u8 role;
	__u8 pad;
};
struct local_datagram {
	__be32 address; /* the other one */
	__be16 port;
	__u16 pad;
	__u32 member;
	__u32 pool;
	__u64 last_ns;
};

enum local_clients { LOCAL_OFF, LOCAL_HOST, LOCAL_ALL };
/* Another way of forwarding on this node, behind these programs: what they let pass reaches it. */
enum other_driver {
	OTHER_NONE,
	OTHER_DRAINS, /* has connections that began before: a packet that begins none and has no flow here is its */
	OTHER_SERVES, /* takes what is new: whatever has no flow here is its */
};
#define MAX_SOURCES 14

/* Value of `config` (ARRAY of 1). */
struct config {
	__u64 netns_cookie;	/* LOCAL_HOST: only sockets of this network namespace */
	__u64 established_ns;	/* idle time-outs */
	__u64 half_open_ns;
	__u64 closing_ns;
	__u64 closed_ns;
	__u64 datagram_ns;
	__u32 route_epoch;	/* raised when a neighbour, route, address or link changes */
	__u32 half_open_count;	/* how many flows may be half-open; at most the size of `half_open_ring` */
	__u16 source_port_first; /* fullnat, host order */
	__u16 source_port_last;
	__u16 source_count;	/* entries in sources; 0 = member.source */
	__u8 local_clients;
	__u8 other_driver;
	__be32 sources[MAX_SOURCES]; /* --source-addresses */
	__u64 network_digest;	/* the agent's: what it has raised route_epoch for */
};

/* Key of `drops` (PERCPU_ARRAY of __u64). Names are what operators see in metrics: keep them in step with DROP_NAMES. */
enum drop_reason {
	DROP_NONE,
	DROP_NO_MEMBER,		/* RST: no member takes new flows */
	DROP_CLOSING_ADDRESS,	/* RST: the connect address is closing */
	DROP_NO_FLOW,		/* RST: not a SYN, and no flow or socket knows it */
	DROP_CUT,		/* RST: member cut or past its drain deadline */
	DROP_EXPIRED,		/* RST: the flow was idle too long */
	DROP_FLOW_TABLE_FULL,
	DROP_SOURCE_PORTS_EXHAUSTED,
	DROP_HALF_OPEN_RECLAIMED, /* the oldest half-open flow made room */
	DROP_FRAGMENT,
	DROP_MALFORMED,
	DROP_TTL,
	DROP_NO_ROUTE,
	DROP_AFFINITY_FULL,	/* the flow goes on without affinity */
	DROP_CHECKSUM,
	DROP_TOO_BIG, /* larger than the next link takes */
	DROP_REASONS,
};

/*
 * Maps (file maps.h): service HASH no prealloc · slot ARRAY · pool ARRAY · member ARRAY · member_traffic PERCPU_ARRAY ·
 * flow HASH no prealloc · half_open_ring ARRAY of flow_key · half_open_head ARRAY of 1 x __u64 · affinity HASH no prealloc ·
 * local_flow, local_datagram HASH no prealloc · node_address HASH (__be32 -> __u32 1) · config ARRAY of 1 · drops PERCPU_ARRAY.
 */

/* Context of the SYSCALL program `close_flows`: keys of FORWARD entries, checked again in the kernel. */
#define CLOSE_BATCH 128
enum close_mode {
	CLOSE_EXPIRED = 1, /* remove those that are really idle (or half of a pair) */
	CLOSE_FORCED,	   /* take out of `load` and mark FLOW_CLOSED with FLOW_RESET (cut) */
};
struct close_request {
	__u32 mode;
	__u32 count;  /* of keys */
	__u32 closed; /* out: how many were */
	__u32 pad;
	struct flow_key keys[CLOSE_BATCH];
};

/* Context of the SYSCALL program `adjust_load`. */
struct adjust_load_request {
	__u32 member;
	__s32 delta;
};

/*
 * Context of the SYSCALL program `write_members`: writes everything but `load`, which is kept while pool_uid stays the
 * same, and else taken from the value.
 */
#define WRITE_BATCH 32
struct member_write {
	__u32 index;
	__u32 pad;
	struct member value;
};
struct write_members_request {
	__u32 count;
	__u32 written; /* out */
	struct member_write members[WRITE_BATCH];
};

#define SIZE_IS(what, size) _Static_assert(sizeof(struct what) == (size), "layout of " #what)
SIZE_IS(service_key, 8);
SIZE_IS(service, 56);
SIZE_IS(slot, 8);
SIZE_IS(pool, 64);
SIZE_IS(member, 56);
SIZE_IS(member_traffic, 40);
SIZE_IS(flow_key, 16);
SIZE_IS(flow, 96);
SIZE_IS(affinity_key, 8);
SIZE_IS(affinity, 16);
SIZE_IS(local_flow, 24);
SIZE_IS(local_datagram_key, 16);
SIZE_IS(local_datagram, 24);
SIZE_IS(config, 128);
SIZE_IS(close_request, 2064);
SIZE_IS(adjust_load_request, 8);
SIZE_IS(member_write, 64);
SIZE_IS(write_members_request, 2056);
#undef SIZE_IS
