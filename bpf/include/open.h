/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Opens a flow: closing address, member, source port, both entries, the ring of half-open flows. All of it or nothing. */
#include "ports.h"
#include "schedule.h"

/* The connect address that a packet is for: the exact one, else the one that stands for every address of the node. */
static __always_inline struct service *find_service(__be32 address, __be16 port, __u8 protocol)
{
	struct service_key key = { .address = address, .port = port, .protocol = protocol };
	struct service *found = bpf_map_lookup_elem(&service, &key);

	if (found || !bpf_map_lookup_elem(&node_address, &address))
		return found;
	key.address = 0;
	return bpf_map_lookup_elem(&service, &key);
}

static __always_inline int is_same_key(const struct flow_key *one, const struct flow_key *other)
{
	return one->source == other->source && one->destination == other->destination &&
	       one->source_port == other->source_port && one->destination_port == other->destination_port &&
	       one->protocol == other->protocol;
}

/* Takes a place in the ring. Whoever had it and is still half-open makes room, and its source port is free again. */
static __always_inline void enter_ring(const struct flow_key *key)
{
	struct config *limits = settings();
	__u32 place = 0;
	__u64 *head = bpf_map_lookup_elem(&half_open_head, &place);
	struct flow_key *held, old;
	struct flow *forward;

	if (!limits || !head || !limits->half_open_count)
		return;
	place = __sync_fetch_and_add(head, 1) % limits->half_open_count;
	held = bpf_map_lookup_elem(&half_open_ring, &place);
	if (!held)
		return;
	old = *held;
	*held = *key;
	/* A flow that had this place before, and was opened again by the same client, is the very one that takes it. */
	if (!old.protocol || is_same_key(&old, key))
		return;
	forward = bpf_map_lookup_elem(&flow, &old);
	if (!forward || forward->role != FLOW_FORWARD)
		return;
	if (__sync_val_compare_and_swap(&forward->state, FLOW_HALF_OPEN, FLOW_CLOSED) != FLOW_HALF_OPEN)
		return;
	add_load(forward->member, -1);
	delete_opposite(forward, old.protocol);
	bpf_map_delete_elem(&flow, &old);
	count(DROP_HALF_OPEN_RECLAIMED);
}

/* Returns 0 or -errno. A function of its own for the sake of the stack, of which a call chain has 512 bytes. */
__weak __noinline int insert_forward(const struct packet *packet, const struct opening *opening)
{
	struct flow value;
	struct flow_key key;

	if (!packet || !opening)
		return -1;
	key = packet->key;
	value = (struct flow){
		.new_source = opening->source,
		.new_destination = opening->member_address,
		.new_source_port = opening->source_port,
		.new_destination_port = opening->member_port,
		.member = opening->member,
		.pool = opening->pool,
		.state = opening->state,
		.role = FLOW_FORWARD,
		.why = packet->why,
		.scheduler = opening->scheduler,
		.forwarding = opening->forwarding,
		.created_ns = packet->now,
		.last_seen_ns = packet->now,
		.last_sequence = packet->end_sequence,
		.last_ack = packet->tcp_flags & TCP_ACK ? packet->ack : 0,
		.last_timestamp = packet->timestamp,
	};

	return (int)bpf_map_update_elem(&flow, &key, &value, BPF_NOEXIST);
}

/* Puts both entries in place. */
__weak __noinline int insert_pair(struct packet *packet, struct opening *opening, int keep_client)
{
	struct flow_key key;
	int answer, error;

	if (!packet || !opening)
		return STEP_DROP;
	answer = take_source(packet, opening, keep_client);
	if (answer != PORT_OK)
		return refuse_packet(packet, STEP_DROP,
				     answer == PORT_TAKEN ? DROP_SOURCE_PORTS_EXHAUSTED : DROP_FLOW_TABLE_FULL);
	error = insert_forward(packet, opening);
	if (!error)
		return STEP_SEND;
	key = reply_key(opening, packet->key.protocol);
	bpf_map_delete_elem(&flow, &key);
	/* Another CPU has opened the same flow: the packet goes by that one. */
	if (error == -17 /* EEXIST */)
		return STEP_NEW;
	return refuse_packet(packet, STEP_DROP, DROP_FLOW_TABLE_FULL);
}

static __always_inline int choose_source(const struct packet *packet, const struct member *of, __be32 *source)
{
	struct config *limits = settings();
	__u32 place;

	if (!limits)
		return -1;
	*source = of->source;
	if (limits->source_count) {
		place = hash_words(bpf_ntohl(packet->key.source), bpf_ntohs(packet->key.source_port)) % limits->source_count;
		if (place >= MAX_SOURCES)
			return -1;
		*source = limits->sources[place];
	}
	return *source ? 0 : -1;
}

static __always_inline int open_to(struct packet *packet, const struct service *of, __u32 index)
{
	struct opening opening = {
		.member = index,
		.pool = of->pool,
		.source = packet->key.source,
		.state = packet->why == WHY_ADOPTED ? FLOW_ESTABLISHED : FLOW_HALF_OPEN,
		.scheduler = of->scheduler,
		.forwarding = of->forwarding,
	};
	struct member *chosen = member_at(index);
	int keep_client;

	if (!chosen)
		return STEP_DROP;
	opening.member_address = chosen->address;
	opening.member_port = chosen->port;
	keep_client = of->forwarding == FORWARD_NAT || chosen->flags & MEMBER_LOCAL;
	if (!keep_client && choose_source(packet, chosen, &opening.source))
		return refuse_packet(packet, STEP_DROP, DROP_NO_ROUTE);
	return insert_pair(packet, &opening, keep_client);
}

static __always_inline int may_open(struct packet *packet, const struct service *of)
{
	int opens = packet->key.protocol == IPPROTO_UDP || is_syn(packet);
	__u8 missing = packet->reason ? packet->reason : DROP_NO_FLOW;

	if (!opens && (of->forwarding == FORWARD_FULLNAT || packet->tcp_flags & (TCP_RST | TCP_SYN | TCP_FIN)))
		return refuse_packet(packet, STEP_RESET, missing);
	if (!opens && of->scheduler != SCHED_SH && of->scheduler != SCHED_MH)
		return refuse_packet(packet, STEP_RESET, missing);
	if (of->closing_deadline_ns)
		return refuse_packet(packet, STEP_RESET, DROP_CLOSING_ADDRESS);
	if (!opens)
		packet->why = WHY_ADOPTED;
	return STEP_SEND;
}

/* Returns STEP_SEND when the packet's flow is in place. */
__weak __noinline int open_flow(struct packet *packet, const struct service *of)
{
	struct client client = {};
	int index, step;

	if (!packet || !of)
		return STEP_DROP;
	step = may_open(packet, of);
	if (step != STEP_SEND)
		return step;
	client.source_hash = hash_words(bpf_ntohl(packet->key.source), 0);
	client.flow_hash = hash_words(bpf_ntohl(packet->key.source),
				      (__u32)bpf_ntohs(packet->key.source_port) << 16 | packet->key.protocol);
	client.identity = packet->key.source;
	client.now = packet->now;
	index = choose_member(of, &client);
	if (index == NO_MEMBER)
		return refuse_packet(packet, STEP_RESET, DROP_NO_MEMBER);
	if (!packet->why)
		packet->why = client.why;
	step = open_to(packet, of, index);
	if (step != STEP_SEND) {
		add_load(index, -1);
		return step == STEP_NEW ? STEP_SEND : step;
	}
	count_connection(index);
	keep_affinity(of, &client, index);
	if (packet->why != WHY_ADOPTED)
		enter_ring(&packet->key);
	return STEP_SEND;
}
