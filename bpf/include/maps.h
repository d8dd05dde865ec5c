/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * Every map, pinned by name. Sizes are defaults: the driver sets its own before loading.
 * They are weak because each program file brings them along, and the linker keeps one of each.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"

#define MAP(name, kind, entries, key_type, value_type, flags)                                                               \
	struct {                                                                                                            \
		__uint(type, kind);                                                                                         \
		__uint(max_entries, entries);                                                                               \
		__uint(map_flags, flags);                                                                                   \
		__uint(pinning, LIBBPF_PIN_BY_NAME);                                                                        \
		__type(key, key_type);                                                                                      \
		__type(value, value_type);                                                                                  \
	} name __weak SEC(".maps")
#define HASH(name, entries, key_type, value_type)                                                                           \
	MAP(name, BPF_MAP_TYPE_HASH, entries, key_type, value_type, BPF_F_NO_PREALLOC)
#define ARRAY(name, entries, value_type) MAP(name, BPF_MAP_TYPE_ARRAY, entries, __u32, value_type, 0)
#define PERCPU(name, entries, value_type) MAP(name, BPF_MAP_TYPE_PERCPU_ARRAY, entries, __u32, value_type, 0)

HASH(service, 65536, struct service_key, struct service);
ARRAY(slot, 1 << 20, struct slot);
ARRAY(pool, 65536, struct pool);
ARRAY(member, 131072, struct member);
PERCPU(member_traffic, 131072, struct member_traffic);
HASH(flow, 1 << 20, struct flow_key, struct flow);
ARRAY(half_open_ring, 65536, struct flow_key);
ARRAY(half_open_head, 1, __u64);
HASH(affinity, 262144, struct affinity_key, struct affinity);
HASH(local_flow, 65536, __u64, struct local_flow);
HASH(local_datagram, 65536, struct local_datagram_key, struct local_datagram);
HASH(node_address, 1024, __be32, __u32);
ARRAY(config, 1, struct config);
PERCPU(drops, DROP_REASONS, __u64);

static __always_inline struct config *settings(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}

static __always_inline struct member *member_at(__u32 index)
{
	return bpf_map_lookup_elem(&member, &index);
}

static __always_inline void count(__u32 reason)
{
	__u64 *counter = bpf_map_lookup_elem(&drops, &reason);

	if (counter)
		*counter += 1;
}

static __always_inline void add_load(__u32 index, __s64 delta)
{
	struct member *chosen = member_at(index);

	if (chosen)
		__sync_fetch_and_add(&chosen->load, delta);
}

/* A member that takes new flows. */
static __always_inline int takes_new(const struct member *candidate)
{
	return candidate->state == MEMBER_ACTIVE && candidate->weight > 0;
}

/* A member whose flows are to be reset. */
static __always_inline int is_cut(const struct member *candidate, __u64 now)
{
	if (candidate->state == MEMBER_DRAINING)
		return now >= candidate->drain_deadline_ns;
	return candidate->state == MEMBER_CUT || candidate->state == MEMBER_FREE;
}
