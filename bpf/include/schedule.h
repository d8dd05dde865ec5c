/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Which member takes a new flow. TC and the cgroup hooks share it, and with it the pool's ticket. */
#include "hash.h"
#include "maps.h"

#define NO_MEMBER (-1)
#define SCAN_CHUNK 32
#define PICK_ATTEMPTS 8

/* Who asks. */
struct client {
	__u32 source_hash; /* sh */
	__u32 flow_hash;   /* mh */
	__be32 identity;   /* affinity */
	__u32 why;	   /* out: enum flow_why */
	__u64 now;
};

struct least {
	__u32 at; /* first slot of the region */
	__u32 count;
	__u32 next; /* place in the region, counted on round the end */
	__u32 left;
	__u32 weight; /* of the best so far, 0 = none yet */
	__u32 member;
	__u64 load; /* of the best so far */
	__u32 weighted;
	__u32 pool;
};

/* Looks at the next slots, and keeps the least loaded. The first of equals wins: the start rotates. */
__weak __noinline int scan_chunk(struct least *least)
{
	if (!least)
		return 0;
	for (int round = 0; round < SCAN_CHUNK && least->left; round++) {
		__u32 place = least->at + least->next;
		struct slot *candidate = bpf_map_lookup_elem(&slot, &place);
		struct member *of = candidate ? member_at(candidate->member) : NULL;
		__u64 load, weight;

		least->left--;
		if (++least->next >= least->count)
			least->next = 0;
		if (!of || of->state != MEMBER_ACTIVE || of->pool != least->pool)
			continue;
		load = of->load > 0 ? of->load : 0;
		weight = least->weighted ? candidate->weight : 1;
		if (least->weight && load * least->weight >= least->load * weight)
			continue;
		least->member = candidate->member;
		least->load = load;
		least->weight = weight;
	}
	return least->left;
}

static __always_inline int pick_least(const struct service *of, __u64 ticket)
{
	struct least least = {
		.at = of->eligible_at,
		.count = of->eligible_count,
		.left = of->eligible_count,
		.weighted = of->scheduler == SCHED_WLC,
		.pool = of->pool,
	};

	if (!least.count || least.count > MAX_MEMBERS)
		return NO_MEMBER;
	least.next = ticket % least.count;
	for (int chunk = 0; chunk < MAX_MEMBERS / SCAN_CHUNK; chunk++)
		if (!scan_chunk(&least))
			break;
	return least.weight ? (int)least.member : NO_MEMBER;
}

/* Takes the slot at `start`, or the next whose member is active: a table may be a moment older than a member's state. */
static __always_inline int pick_slot(const struct service *of, __u64 start)
{
#pragma unroll
	for (int attempt = 0; attempt < PICK_ATTEMPTS; attempt++) {
		__u32 place = of->sequence_at + (start + attempt) % of->sequence_count;
		struct slot *candidate = bpf_map_lookup_elem(&slot, &place);
		struct member *chosen = candidate ? member_at(candidate->member) : NULL;

		if (chosen && chosen->state == MEMBER_ACTIVE && chosen->pool == of->pool)
			return candidate->member;
	}
	return NO_MEMBER;
}

/* The member that this client had last, while it takes new flows. */
static __always_inline int pick_affine(const struct service *of, const struct client *client)
{
	struct affinity_key key = { .pool = of->pool, .client = client->identity };
	struct affinity *last = bpf_map_lookup_elem(&affinity, &key);
	struct member *chosen = last ? member_at(last->member) : NULL;

	if (!chosen || chosen->pool != of->pool || !takes_new(chosen))
		return NO_MEMBER;
	if (client->now - last->last_ns > (__u64)of->affinity_seconds * 1000000000)
		return NO_MEMBER;
	return last->member;
}

static __always_inline int pick_scheduled(const struct service *of, const struct client *client)
{
	__u32 index = of->pool;
	struct pool *home = bpf_map_lookup_elem(&pool, &index);
	__u64 start;

	if (!home)
		return NO_MEMBER;
	if (of->scheduler == SCHED_SH)
		start = client->source_hash;
	else if (of->scheduler == SCHED_MH)
		start = client->flow_hash;
	else
		start = __sync_fetch_and_add(&home->ticket, 1);
	if (of->scheduler == SCHED_LC || of->scheduler == SCHED_WLC)
		return pick_least(of, start);
	return of->sequence_count ? pick_slot(of, start) : NO_MEMBER;
}

/* Returns the index of the member that takes the flow, its load raised already, or NO_MEMBER. */
__weak __noinline int choose_member(const struct service *of, struct client *client)
{
	int index = NO_MEMBER;

	if (!of || !client)
		return NO_MEMBER;
	client->why = WHY_AFFINITY;
	if (of->affinity_seconds)
		index = pick_affine(of, client);
	if (index == NO_MEMBER) {
		client->why = WHY_SCHEDULED;
		index = pick_scheduled(of, client);
	}
	if (index != NO_MEMBER)
		add_load(index, 1);
	return index;
}

/* Call when the flow is in place. */
static __always_inline void keep_affinity(const struct service *of, const struct client *client, __u32 index)
{
	struct affinity_key key = { .pool = of->pool, .client = client->identity };
	struct affinity value = { .member = index, .last_ns = client->now };

	if (of->affinity_seconds && bpf_map_update_elem(&affinity, &key, &value, BPF_ANY))
		count(DROP_AFFINITY_FULL);
}

static __always_inline void count_connection(__u32 index)
{
	struct member_traffic *traffic = bpf_map_lookup_elem(&member_traffic, &index);

	if (traffic)
		traffic->connections++;
}
