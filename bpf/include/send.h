/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* The last step: out of the right device, or up to a member on this node. Each returns a TC verdict. */
#include "rewrite.h"
#include "route.h"

static __always_inline int send_to(struct __sk_buff *skb, int route, const struct next_hop *hop)
{
	struct bpf_redir_neigh neighbour = { .nh_family = ADDRESS_FAMILY_IPV4, .ipv4_nh = hop->gateway };
	void *data;

	if (route == ROUTE_BY_NEIGHBOUR)
		return bpf_redirect_neigh(hop->ifindex, &neighbour, sizeof(neighbour), 0);
	data = (void *)(long)skb->data;
	if (data + ETH_HLEN > (void *)(long)skb->data_end)
		return drop(DROP_MALFORMED);
	__builtin_memcpy(data, hop->macs, 2 * ETH_ALEN);
	return bpf_redirect(hop->ifindex, 0);
}

/* Of a train of segments each one counts. The kernel would drop what is too big, and tell nobody. */
static __always_inline int is_too_big(const struct __sk_buff *skb, const struct packet *packet, __u32 mtu)
{
	__u32 length = packet->length;

	if (skb->gso_size)
		length = packet->l4_offset - ETH_HLEN + packet->header_length + skb->gso_size;
	return mtu && length > mtu;
}

static __noinline int send(struct __sk_buff *skb, const struct packet *packet, struct flow *entry)
{
	struct next_hop hop = {};
	struct member *of = member_at(entry->member);
	int route;

	if (entry->role == FLOW_FORWARD && of && of->flags & MEMBER_LOCAL)
		return rewrite(skb, packet, entry, 0) ? drop(DROP_CHECKSUM) : TC_ACT_OK;
	if (packet->ttl <= 1)
		return drop(DROP_TTL);
	route = find_route(skb, packet, entry, &hop);
	if (route == ROUTE_NONE)
		return drop(DROP_NO_ROUTE);
	if (is_too_big(skb, packet, hop.mtu))
		return drop(DROP_TOO_BIG);
	if (rewrite(skb, packet, entry, 1))
		return drop(DROP_CHECKSUM);
	return send_to(skb, route, &hop);
}
