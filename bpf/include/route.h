/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Where a packet goes next: kept in its flow entry, else asked of the kernel's routing and neighbour tables. */
#include <linux/if_ether.h>
#include "flow.h"

#define ADDRESS_FAMILY_IPV4 2

enum route { ROUTE_NONE, ROUTE_KNOWN, ROUTE_BY_NEIGHBOUR, ROUTE_HERE };

struct next_hop {
	__u32 ifindex;
	__be32 gateway;
	__u32 mtu; /* bytes of an IP packet; 0 = unknown */
	__u8 macs[2 * ETH_ALEN]; /* destination, source: as in the Ethernet header */
};

static __noinline int look_up_route(struct __sk_buff *skb, const struct packet *packet, struct flow *entry,
					 const struct config *limits, struct next_hop *hop)
{
	__u32 epoch = limits->route_epoch;
	struct bpf_fib_lookup query = {
		.family = ADDRESS_FAMILY_IPV4,
		.l4_protocol = packet->key.protocol,
		.tot_len = 1, /* the route's MTU, please, and no opinion on this packet */
		.sport = entry->new_source_port,
		.dport = entry->new_destination_port,
		.ifindex = skb->ifindex,
		.ipv4_src = entry->new_source,
		.ipv4_dst = entry->new_destination,
	};
	long answer = bpf_fib_lookup(skb, &query, sizeof(query), 0);

	hop->ifindex = query.ifindex;
	hop->gateway = query.ipv4_dst;
	if (answer == BPF_FIB_LKUP_RET_NO_NEIGH)
		return ROUTE_BY_NEIGHBOUR;
	if (answer != BPF_FIB_LKUP_RET_SUCCESS)
		return ROUTE_NONE;
	hop->mtu = query.mtu_result;
	__builtin_memcpy(hop->macs, query.dmac, ETH_ALEN);
	__builtin_memcpy(hop->macs + ETH_ALEN, query.smac, ETH_ALEN);
	__builtin_memcpy(entry->next_mac, query.dmac, ETH_ALEN);
	__builtin_memcpy(entry->own_mac, query.smac, ETH_ALEN);
	entry->ifindex = query.ifindex;
	entry->mtu = query.mtu_result;
	entry->route_epoch = epoch;
	return ROUTE_KNOWN;
}

static __always_inline int find_route(struct __sk_buff *skb, const struct packet *packet, struct flow *entry,
				      struct next_hop *hop)
{
	struct config *limits = settings();

	if (!limits)
		return ROUTE_NONE;
	if (!entry->ifindex || entry->route_epoch != limits->route_epoch)
		return look_up_route(skb, packet, entry, limits, hop);
	hop->ifindex = entry->ifindex;
	hop->mtu = entry->mtu;
	__builtin_memcpy(hop->macs, entry->next_mac, ETH_ALEN);
	__builtin_memcpy(hop->macs + ETH_ALEN, entry->own_mac, ETH_ALEN);
	return ROUTE_KNOWN;
}
