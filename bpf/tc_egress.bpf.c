/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a member on this node answers: it leaves under the connect address. Everything else passes. */
#include "rewrite.h"
#include "track.h"

SEC("tc")
int tc_egress(struct __sk_buff *skb)
{
	struct packet packet = {};
	struct member *of;
	struct flow *entry;
	int step;

	/* Forwarded, not sent by a socket of this node. */
	if (skb->ingress_ifindex || parse(skb, &packet))
		return TC_ACT_UNSPEC;
	entry = bpf_map_lookup_elem(&flow, &packet.key);
	if (!entry || entry->role != FLOW_REPLY)
		return TC_ACT_UNSPEC;
	of = member_at(entry->member);
	if (!of || !(of->flags & MEMBER_LOCAL))
		return TC_ACT_UNSPEC;
	packet.now = bpf_ktime_get_coarse_ns();
	step = track(&packet, entry);
	if (step == STEP_NEW)
		return TC_ACT_UNSPEC;
	if (step != STEP_SEND)
		return drop(packet.reason);
	return rewrite(skb, &packet, entry, 0) ? drop(DROP_CHECKSUM) : TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
