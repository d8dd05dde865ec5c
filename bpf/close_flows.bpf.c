/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Closes the flows that the agent names, after a second look: what it read may have moved on. */
#include "flow.h"

static __always_inline int close_by_force(struct flow *forward, __u8 protocol)
{
	struct flow *reply = opposite(forward, protocol, FLOW_REPLY);

	if (reply)
		__sync_fetch_and_or(&reply->flags, FLOW_CUT | FLOW_RESET);
	__sync_fetch_and_or(&forward->flags, FLOW_CUT | FLOW_RESET);
	return release(forward);
}

static __always_inline int close_reply(const struct flow_key *key, struct flow *reply, __u64 now)
{
	/* Half of a pair: being opened, or kept for its port. */
	if (reply->state != FLOW_CLOSED && opposite(reply, key->protocol, FLOW_FORWARD))
		return 0;
	if (now - reply->created_ns < QUIET_NS)
		return 0;
	if (reply->state == FLOW_CLOSED && !is_expired(reply, NULL, key->protocol, now))
		return 0;
	delete_entry(key);
	return 1;
}

/* Returns 1 when the flow was closed. */
__weak __noinline int close_flow(const struct flow_key *named, __u32 mode)
{
	struct flow *entry, *reply;
	struct flow_key key;
	__u64 now = bpf_ktime_get_ns();

	if (!named)
		return 0;
	key = *named;
	entry = bpf_map_lookup_elem(&flow, &key);
	if (!entry)
		return 0;
	if (entry->role != FLOW_FORWARD)
		return close_reply(&key, entry, now);
	if (mode == CLOSE_FORCED)
		return close_by_force(entry, key.protocol);
	reply = opposite(entry, key.protocol, FLOW_REPLY);
	if (reply && !is_expired(entry, reply, key.protocol, now))
		return 0;
	remove_flow(&key, entry);
	return 1;
}

SEC("syscall")
int close_flows(struct close_request *request)
{
	struct flow_key key;

	request->closed = 0;
	/* The context is read at constant offsets only. */
#pragma unroll
	for (__u32 index = 0; index < CLOSE_BATCH; index++) {
		if (index >= request->count)
			break;
		key = request->keys[index];
		request->closed += close_flow(&key, request->mode);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
