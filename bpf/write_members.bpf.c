/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes members without touching the loads that packets count at the same time. */
#include "maps.h"

static __always_inline int is_same_pool(const struct member *held, const struct member *wanted)
{
	const __u64 *before = (const __u64 *)held->pool_uid, *after = (const __u64 *)wanted->pool_uid;

	return before[0] == after[0] && before[1] == after[1];
}

__weak __noinline int write_member(const struct member_write *write)
{
	struct member *held;

	if (!write)
		return 0;
	held = member_at(write->index);
	if (!held)
		return 0;
	if (!is_same_pool(held, &write->value))
		held->load = write->value.load;
	/* Everything in front of `load`, which is last. The state is published with the address already in place. */
	__builtin_memcpy(held, &write->value, offsetof(struct member, state));
	held->flags = write->value.flags;
	held->pool = write->value.pool;
	held->weight = write->value.weight;
	held->source = write->value.source;
	held->reserved = write->value.reserved;
	held->drain_deadline_ns = write->value.drain_deadline_ns;
	*(volatile __u8 *)&held->state = write->value.state;
	return 1;
}

SEC("syscall")
int write_members(struct write_members_request *request)
{
	struct member_write write;

	request->written = 0;
	/* The context is read at constant offsets only. */
#pragma unroll
	for (__u32 index = 0; index < WRITE_BATCH; index++) {
		if (index >= request->count)
			break;
		write = request->members[index];
		request->written += write_member(&write);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
