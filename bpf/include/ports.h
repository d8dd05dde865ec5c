/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * Which source address and port the member sees. A port is in use exactly while its REPLY entry exists, so taking one
 * is inserting that entry.
 */
#include "flow.h"

#define PORT_ATTEMPTS 64
#define LINEAR_ATTEMPTS 32
/* A prime: leaps visit every port of a small range too. */
#define LEAP 40009u
/* For so long after its last packet the port of a closed flow is left alone, while others can be had: what its two ends still
 * say to each other must not overtake, or be overtaken by, a new SYN. */
#define SETTLE_NS 100000000ULL
#define FIRST_UNPRIVILEGED_PORT 1024
/* A pair is being put in place for less than this: half of it may be missing. */
#define YOUNG_NS 1000000000ULL

enum port_answer { PORT_OK, PORT_TAKEN, PORT_TABLE_FULL };

/* A flow about to be. */
struct opening {
	__be32 source; /* what the member sees */
	__be16 source_port;
	__be16 member_port;
	__be32 member_address;
	__u32 member;
	__u32 pool;
	__u32 state;
	__u8 scheduler;
	__u8 forwarding;
	__u8 patient; /* leave alone ports that are not settled */
	__u8 pad;
};

static __always_inline struct flow_key reply_key(const struct opening *opening, __u8 protocol)
{
	struct flow_key key = {
		.source = opening->member_address,
		.destination = opening->source,
		.source_port = opening->member_port,
		.destination_port = opening->source_port,
		.protocol = protocol,
	};

	return key;
}

/* Each side has heard that the other is done. A member that waits for its last ACK would not take a new SYN. */
static __always_inline int is_acknowledged(const struct flow *forward, const struct flow *reply)
{
	return !is_after(reply->last_sequence, forward->last_ack) && !is_after(forward->last_sequence, reply->last_ack);
}

/* The port of a flow whose both sides are done is free, unless the member may be in TIME_WAIT and refuse the new SYN. */
static __always_inline int may_take_over(const struct packet *packet, const struct flow *forward, const struct flow *reply,
					 int patient)
{
	__u64 last = forward->last_seen_ns > reply->last_seen_ns ? forward->last_seen_ns : reply->last_seen_ns;

	if (is_expired(forward, reply, packet->key.protocol, packet->now))
		return 1;
	if (forward->state != FLOW_CLOSED || (patient && packet->now < last + SETTLE_NS))
		return 0;
	if (forward->flags & FLOW_RESET)
		return 1;
	if (!is_acknowledged(forward, reply))
		return 0;
	return !(forward->flags & FLOW_MEMBER_FIRST) ||
	       starts_behind(packet, forward->last_sequence, forward->last_timestamp);
}

/* Frees an occupied port where that is right. */
static __always_inline int free_port(const struct packet *packet, const struct flow_key *key, int patient)
{
	struct flow *reply = bpf_map_lookup_elem(&flow, key);
	struct flow *forward;
	struct flow_key forward_key;

	if (!reply)
		return 1;
	if (reply->role != FLOW_REPLY)
		return 0;
	if (reply->state == FLOW_CLOSED) {
		if (!is_expired(reply, NULL, key->protocol, packet->now) &&
		    !starts_behind(packet, reply->last_sequence, reply->last_timestamp))
			return 0;
		bpf_map_delete_elem(&flow, key);
		return 1;
	}
	forward_key = opposite_key(reply, key->protocol);
	forward = bpf_map_lookup_elem(&flow, &forward_key);
	if (!forward || forward->new_source_port != key->destination_port || forward->new_destination != key->source) {
		if (packet->now - reply->created_ns < YOUNG_NS)
			return 0;
		bpf_map_delete_elem(&flow, key);
		return 1;
	}
	if (!may_take_over(packet, forward, reply, patient))
		return 0;
	release(forward);
	bpf_map_delete_elem(&flow, &forward_key);
	bpf_map_delete_elem(&flow, key);
	return 1;
}

/* Returns an enum port_answer. */
__weak __noinline int try_port(const struct packet *packet, const struct opening *opening)
{
	struct flow value = {};
	struct flow_key key;
	long error;

	if (!packet || !opening)
		return PORT_TABLE_FULL;
	key = reply_key(opening, packet->key.protocol);
	value.new_source = packet->key.destination;
	value.new_destination = packet->key.source;
	value.new_source_port = packet->key.destination_port;
	value.new_destination_port = packet->key.source_port;
	value.member = opening->member;
	value.pool = opening->pool;
	value.role = FLOW_REPLY;
	value.why = packet->why;
	value.scheduler = opening->scheduler;
	value.forwarding = opening->forwarding;
	value.created_ns = packet->now;
	error = bpf_map_update_elem(&flow, &key, &value, BPF_NOEXIST);
	if (error == -17 /* EEXIST */) {
		if (!free_port(packet, &key, opening->patient))
			return PORT_TAKEN;
		error = bpf_map_update_elem(&flow, &key, &value, BPF_NOEXIST);
		if (error == -17)
			return PORT_TAKEN;
	}
	return error ? PORT_TABLE_FULL : PORT_OK;
}

/* Neighbouring ports first, so that a small range is searched whole; then leaps. */
static __always_inline __u32 place_of_attempt(__u32 start, __u32 attempt, __u32 range)
{
	return (attempt < LINEAR_ATTEMPTS ? start + attempt : start + attempt * LEAP) % range;
}

static __always_inline int probe_ports(const struct packet *packet, struct opening *opening, __u32 first, __u32 last)
{
	__u32 start = bpf_get_prandom_u32() & 0xffffff;
	__u32 range = last - first + 1;

	if (first > last || last > 65535)
		return PORT_TAKEN;
	for (__u32 attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
		int answer;

		opening->patient = attempt < LINEAR_ATTEMPTS;
		opening->source_port = bpf_htons(first + place_of_attempt(start, attempt, range));
		answer = try_port(packet, opening);
		if (answer != PORT_TAKEN)
			return answer;
	}
	return PORT_TAKEN;
}

/* Fills in source and source_port and inserts the REPLY entry. `keep_client`: the member sees the client's own address. */
__weak __noinline int take_source(const struct packet *packet, struct opening *opening, int keep_client)
{
	struct config *limits = settings();
	int answer;

	if (!packet || !opening || !limits)
		return PORT_TABLE_FULL;
	if (!keep_client)
		return probe_ports(packet, opening, limits->source_port_first, limits->source_port_last);
	opening->source_port = packet->key.source_port;
	opening->patient = 0;
	answer = try_port(packet, opening);
	if (answer != PORT_TAKEN)
		return answer;
	return probe_ports(packet, opening, FIRST_UNPRIVILEGED_PORT, 65535);
}
