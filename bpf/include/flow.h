/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What flow entries are: pairs, their states, their ends. */
#include <linux/in.h>
#include "maps.h"
#include "packet.h"

/* A direction that has been quiet for less is not looked at more closely. */
#define QUIET_NS 1000000000ULL

static __always_inline struct flow_key opposite_key(const struct flow *entry, __u8 protocol)
{
	struct flow_key key = {
		.source = entry->new_destination,
		.destination = entry->new_source,
		.source_port = entry->new_destination_port,
		.destination_port = entry->new_source_port,
		.protocol = protocol,
	};

	return key;
}

static __always_inline struct flow *opposite(const struct flow *entry, __u8 protocol, __u8 role)
{
	struct flow_key key = opposite_key(entry, protocol);
	struct flow *other = bpf_map_lookup_elem(&flow, &key);

	return other && other->role == role ? other : NULL;
}

static __always_inline void delete_opposite(const struct flow *entry, __u8 protocol)
{
	struct flow_key key = opposite_key(entry, protocol);

	bpf_map_delete_elem(&flow, &key);
}

/* Closes a FORWARD entry and takes it out of its member's load, once. State only moves on, so three attempts do. */
static __always_inline int release(struct flow *forward)
{
	__u32 state = forward->state;

	for (int attempt = 0; attempt < 3; attempt++) {
		__u32 seen;

		if (state == FLOW_CLOSED)
			return 0;
		seen = __sync_val_compare_and_swap(&forward->state, state, FLOW_CLOSED);
		if (seen == state) {
			add_load(forward->member, -1);
			return 1;
		}
		state = seen;
	}
	return 0;
}

/* Until 6.2 the kernel takes keys from the stack, but not through a global function's parameter: hence the copy. */
static __always_inline void delete_entry(const struct flow_key *key)
{
	struct flow_key own = *key;

	bpf_map_delete_elem(&flow, &own);
}

/* Ends a flow and removes both of its entries. */
static __always_inline void remove_flow(const struct flow_key *key, struct flow *forward)
{
	release(forward);
	delete_opposite(forward, key->protocol);
	delete_entry(key);
}

static __always_inline __u64 idle_limit(const struct config *limits, __u32 state, __u8 protocol)
{
	if (protocol == IPPROTO_UDP)
		return limits->datagram_ns;
	if (state == FLOW_ESTABLISHED)
		return limits->established_ns;
	if (state == FLOW_HALF_OPEN)
		return limits->half_open_ns;
	return state == FLOW_CLOSING ? limits->closing_ns : limits->closed_ns;
}

/* Both directions have been idle for too long. `reply` may be missing. Entries may be newer than `now`. */
static __always_inline int is_expired(const struct flow *forward, const struct flow *reply, __u8 protocol, __u64 now)
{
	const struct config *limits = settings();
	__u64 last = forward->last_seen_ns;

	if (reply && reply->last_seen_ns > last)
		last = reply->last_seen_ns;
	return limits && now > last && now - last > idle_limit(limits, forward->state, protocol);
}

/* A new connection that a member in TIME_WAIT accepts: it starts behind what the member saw last. */
static __always_inline int starts_behind(const struct packet *syn, __u32 sequence, __u32 timestamp)
{
	if (!is_after(syn->sequence, sequence))
		return 0;
	return !timestamp || (syn->timestamp && is_after(syn->timestamp, timestamp));
}
