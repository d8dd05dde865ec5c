/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* What a packet of a known flow does to the flow. The service table is not asked. */
#include "flow.h"

/* How far from what the peer expects a RST, or the ACK of a handshake, may be and still be believed. */
#define PLAUSIBLE_WINDOW (1u << 28)
/* A client that sends datagrams for so long, without an answer, is one. */
#define LASTING_NS 1000000000ULL

static __always_inline void note(const struct packet *packet, struct flow *entry)
{
	entry->last_seen_ns = packet->now;
	if (packet->key.protocol != IPPROTO_TCP || packet->tcp_flags & TCP_RST)
		return;
	if (is_after(packet->end_sequence, entry->last_sequence) || !entry->last_sequence)
		entry->last_sequence = packet->end_sequence;
	if (packet->tcp_flags & TCP_ACK)
		entry->last_ack = packet->ack;
	if (packet->timestamp)
		entry->last_timestamp = packet->timestamp;
}

/* A RST counts only where its receiver would believe it (RFC 5961 asks for an exact match of the receiver). */
static __always_inline int is_plausible_reset(const struct packet *packet, const struct flow *other)
{
	if (!other || !other->last_ack)
		return 1;
	return packet->sequence - other->last_ack < PLAUSIBLE_WINDOW;
}

/* One side sends no more. Flags: what has been said so far, this included. */
static __always_inline void close_side(struct flow *forward, __u32 flags)
{
	__u32 state = forward->state;

	if ((flags & FLOW_FIN_CLIENT) && (flags & FLOW_FIN_MEMBER)) {
		release(forward);
		return;
	}
	if (state == FLOW_HALF_OPEN || state == FLOW_ESTABLISHED)
		__sync_val_compare_and_swap(&forward->state, state, FLOW_CLOSING);
}

static __always_inline void reset_flow(struct flow *forward)
{
	__sync_fetch_and_or(&forward->flags, FLOW_RESET);
	release(forward);
}

/* The client's first ACK of what the member has said ends the handshake. */
static __always_inline void complete_handshake(const struct packet *packet, struct flow *forward, const struct flow *reply)
{
	if (!(packet->tcp_flags & TCP_ACK) || !reply || !reply->last_seen_ns)
		return;
	if (reply->last_sequence - packet->ack < PLAUSIBLE_WINDOW)
		__sync_val_compare_and_swap(&forward->state, FLOW_HALF_OPEN, FLOW_ESTABLISHED);
}

static __always_inline void advance_from_client(const struct packet *packet, struct flow *forward)
{
	struct flow *reply = opposite(forward, packet->key.protocol, FLOW_REPLY);

	if (packet->tcp_flags & TCP_RST) {
		if (is_plausible_reset(packet, reply))
			reset_flow(forward);
		return;
	}
	if (forward->state == FLOW_HALF_OPEN)
		complete_handshake(packet, forward, reply);
	if (packet->tcp_flags & TCP_FIN)
		close_side(forward, __sync_fetch_and_or(&forward->flags, FLOW_FIN_CLIENT) | FLOW_FIN_CLIENT);
}

static __always_inline void advance_from_member(const struct packet *packet, struct flow *forward)
{
	__u32 flags = FLOW_FIN_MEMBER;

	if (packet->tcp_flags & TCP_RST) {
		if (is_plausible_reset(packet, forward))
			reset_flow(forward);
		return;
	}
	if (!(packet->tcp_flags & TCP_FIN))
		return;
	/* Also when both FINs crossed: then both sides go through TIME_WAIT. */
	if (!(forward->flags & FLOW_FIN_CLIENT) || is_after(forward->last_sequence, packet->ack))
		flags |= FLOW_MEMBER_FIRST;
	if (forward->flags & FLOW_FIN_MEMBER)
		flags = FLOW_FIN_MEMBER;
	close_side(forward, __sync_fetch_and_or(&forward->flags, flags) | flags);
}

/*
 * Resets a flow whose member was cut, here and for what its other side still sends. Its state stays: the agent, which
 * resets a side that is silent too, takes out of the load what it finds open.
 */
static __always_inline int cut(struct packet *packet, struct flow *forward, struct flow *reply)
{
	if (forward)
		__sync_fetch_and_or(&forward->flags, FLOW_CUT | FLOW_RESET);
	if (reply)
		__sync_fetch_and_or(&reply->flags, FLOW_CUT | FLOW_RESET);
	return refuse_packet(packet, STEP_RESET, DROP_CUT);
}

/*
 * A client opens a connection again from where it had one. A member that closed first may be in TIME_WAIT: its port stays
 * taken, because the new flow gets another port, perhaps another member, and the next taker may be any client.
 */
static __always_inline int reopen(const struct packet *packet, struct flow *forward)
{
	struct flow *reply = NULL;

	if (forward->flags & FLOW_MEMBER_FIRST && forward->forwarding == FORWARD_FULLNAT && !(forward->flags & FLOW_RESET))
		reply = opposite(forward, packet->key.protocol, FLOW_REPLY);
	if (!reply) {
		remove_flow(&packet->key, forward);
		return STEP_NEW;
	}
	reply->last_sequence = forward->last_sequence;
	reply->last_timestamp = forward->last_timestamp;
	reply->last_seen_ns = packet->now;
	reply->state = FLOW_CLOSED;
	release(forward);
	delete_entry(&packet->key);
	return STEP_NEW;
}

static __always_inline int track_syn(struct packet *packet, struct flow *forward, const struct member *of)
{
	if (forward->state == FLOW_CLOSING || forward->state == FLOW_CLOSED)
		return reopen(packet, forward);
	if (is_cut(of, packet->now) || (forward->state == FLOW_HALF_OPEN && !takes_new(of))) {
		remove_flow(&packet->key, forward);
		packet->why = WHY_RESCHEDULED;
		return STEP_NEW;
	}
	if (packet->now - forward->last_seen_ns > QUIET_NS &&
	    is_expired(forward, opposite(forward, IPPROTO_TCP, FLOW_REPLY), IPPROTO_TCP, packet->now)) {
		remove_flow(&packet->key, forward);
		return STEP_NEW;
	}
	/* Half-open: sent again. Established: the member answers with a challenge ACK, to which the client says RST. */
	note(packet, forward);
	return STEP_SEND;
}

static __always_inline int track_from_client(struct packet *packet, struct flow *forward, const struct member *of)
{
	if (is_syn(packet))
		return track_syn(packet, forward, of);
	if (forward->flags & FLOW_CUT || is_cut(of, packet->now))
		return cut(packet, forward, opposite(forward, IPPROTO_TCP, FLOW_REPLY));
	if (packet->now - forward->last_seen_ns > QUIET_NS &&
	    is_expired(forward, opposite(forward, IPPROTO_TCP, FLOW_REPLY), IPPROTO_TCP, packet->now)) {
		remove_flow(&packet->key, forward);
		return refuse_packet(packet, STEP_NEW, DROP_EXPIRED);
	}
	if (forward->state == FLOW_HALF_OPEN || packet->tcp_flags & (TCP_FIN | TCP_RST))
		advance_from_client(packet, forward);
	note(packet, forward);
	return STEP_SEND;
}

static __always_inline int track_from_member(struct packet *packet, struct flow *reply, const struct member *of)
{
	struct flow *forward;

	if (reply->state == FLOW_CLOSED)
		return refuse_packet(packet, STEP_RESET, DROP_EXPIRED);
	if (reply->flags & FLOW_CUT || is_cut(of, packet->now))
		return cut(packet, opposite(reply, IPPROTO_TCP, FLOW_FORWARD), reply);
	if (packet->now - reply->last_seen_ns > QUIET_NS || packet->tcp_flags & (TCP_FIN | TCP_RST)) {
		forward = opposite(reply, IPPROTO_TCP, FLOW_FORWARD);
		if (!forward)
			return STEP_NEW;
		if (is_expired(forward, reply, IPPROTO_TCP, packet->now)) {
			struct flow_key key = opposite_key(reply, IPPROTO_TCP);

			remove_flow(&key, forward);
			return refuse_packet(packet, STEP_RESET, DROP_EXPIRED);
		}
		advance_from_member(packet, forward);
	}
	note(packet, reply);
	return STEP_SEND;
}

/*
 * A datagram flow is half-open, and makes room for others like a SYN without an answer, until its member answers or its
 * client still sends after a while: a flood from invented addresses does neither.
 */
static __always_inline void confirm_datagrams(const struct packet *packet, struct flow *entry)
{
	struct flow *forward = entry;

	if (entry->role == FLOW_REPLY)
		forward = entry->last_seen_ns ? NULL : opposite(entry, IPPROTO_UDP, FLOW_FORWARD);
	else if (entry->state != FLOW_HALF_OPEN || packet->now < entry->created_ns + LASTING_NS)
		forward = NULL;
	if (forward)
		__sync_val_compare_and_swap(&forward->state, FLOW_HALF_OPEN, FLOW_ESTABLISHED);
}

static __always_inline int track_datagram(struct packet *packet, struct flow *entry, const struct member *of)
{
	if (entry->role == FLOW_REPLY) {
		if (entry->flags & FLOW_CUT || is_cut(of, packet->now))
			return refuse_packet(packet, STEP_DROP, DROP_CUT);
	} else if (entry->flags & FLOW_CUT || (of->state != MEMBER_ACTIVE && of->state != MEMBER_PAUSED)) {
		remove_flow(&packet->key, entry);
		packet->why = WHY_RESCHEDULED;
		return STEP_NEW;
	} else if (packet->now - entry->last_seen_ns > QUIET_NS &&
		   is_expired(entry, opposite(entry, IPPROTO_UDP, FLOW_REPLY), IPPROTO_UDP, packet->now)) {
		remove_flow(&packet->key, entry);
		return STEP_NEW;
	}
	confirm_datagrams(packet, entry);
	note(packet, entry);
	return STEP_SEND;
}

static __always_inline void count_traffic(const struct packet *packet, const struct flow *entry)
{
	__u32 index = entry->member;
	struct member_traffic *traffic = bpf_map_lookup_elem(&member_traffic, &index);

	if (!traffic)
		return;
	if (entry->role == FLOW_FORWARD) {
		traffic->packets_in++;
		traffic->bytes_in += packet->length;
	} else {
		traffic->packets_out++;
		traffic->bytes_out += packet->length;
	}
}

/* Returns an enum step; STEP_NEW when the entry is gone. */
__weak __noinline int track(struct packet *packet, struct flow *entry)
{
	struct member *of;
	int step;

	if (!packet || !entry)
		return STEP_DROP;
	of = member_at(entry->member);
	if (!of)
		return STEP_DROP;
	if (packet->refuse)
		return refuse_packet(packet, STEP_DROP, packet->refuse);
	if (packet->key.protocol == IPPROTO_UDP)
		step = track_datagram(packet, entry, of);
	else if (entry->role == FLOW_FORWARD)
		step = track_from_client(packet, entry, of);
	else
		step = track_from_member(packet, entry, of);
	if (step == STEP_SEND)
		count_traffic(packet, entry);
	return step;
}
