/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * ICMP errors about packets that were sent on ("fragmentation needed" above all): whoever sent the packet hears of it in
 * its own terms. The packet that an error quotes left here under the new tuple of one entry, which is the key of the
 * opposite entry, swapped: that one says how packets of the error's direction are rewritten.
 */
#include "send.h"

/* linux/icmp.h drags the C library in. */
#define ICMP_DEST_UNREACH 3
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12

struct icmp_header {
	__u8 type;
	__u8 code;
	__u16 checksum;
	__be32 rest; /* of "fragmentation needed": the MTU */
};

struct quoted_packet {
	struct icmp_header icmp;
	struct iphdr ip;
	__be16 source_port;
	__be16 destination_port;
};

static __always_inline int is_error(__u8 type)
{
	return type == ICMP_DEST_UNREACH || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/* The entry by which an answer to the quoted packet would be rewritten. Quoted IP options are not followed. */
static __always_inline struct flow *find_answering(const struct quoted_packet *quoted, __be32 receiver)
{
	struct flow_key key = {
		.source = quoted->ip.daddr,
		.destination = quoted->ip.saddr,
		.source_port = quoted->destination_port,
		.destination_port = quoted->source_port,
		.protocol = quoted->ip.protocol,
	};

	if (!is_error(quoted->icmp.type) || quoted->ip.ihl != 5 || quoted->ip.saddr != receiver)
		return NULL;
	return bpf_map_lookup_elem(&flow, &key);
}

/* Quotes the packet as its sender sent it. The quoted IP header's sum stays what it was: only the ports change ICMP's. */
static __always_inline void requote(struct quoted_packet *quoted, const struct flow *entry)
{
	__u64 addresses = exchanged(quoted->ip.saddr, entry->new_destination) + exchanged(quoted->ip.daddr, entry->new_source);
	__u64 ports = exchanged(quoted->source_port, entry->new_destination_port) +
		      exchanged(quoted->destination_port, entry->new_source_port);

	quoted->ip.check = ~fold_to_16(fold_to_32(addresses + (__u16)~quoted->ip.check));
	quoted->icmp.checksum = ~fold_to_16(fold_to_32(ports + (__u16)~quoted->icmp.checksum));
	quoted->ip.saddr = entry->new_destination;
	quoted->ip.daddr = entry->new_source;
	quoted->source_port = entry->new_destination_port;
	quoted->destination_port = entry->new_source_port;
}

/* A router's address stays; a member speaks under the connect address, as it always does. */
static __always_inline int rewrite_error(struct __sk_buff *skb, const struct packet *packet,
					 const struct quoted_packet *quoted, __be32 sender, __be32 receiver, int hops)
{
	struct iphdr ip;
	__u64 sum;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)))
		return -1;
	sum = exchanged(ip.saddr, sender) + exchanged(ip.daddr, receiver) + (__u16)~ip.check;
	if (hops) {
		sum += (__u16)~bpf_htons(0x0100);
		ip.ttl--;
	}
	ip.check = ~fold_to_16(fold_to_32(sum));
	ip.saddr = sender;
	ip.daddr = receiver;
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), BPF_F_RECOMPUTE_CSUM))
		return -1;
	return (int)bpf_skb_store_bytes(skb, packet->l4_offset, quoted, sizeof(*quoted), BPF_F_RECOMPUTE_CSUM);
}

/* Returns a TC verdict; TC_ACT_UNSPEC for whatever concerns no flow. */
static __noinline int forward_error(struct __sk_buff *skb, struct packet *packet)
{
	struct quoted_packet quoted;
	struct next_hop hop = {};
	struct flow *entry;
	struct member *of;
	__be32 sender = packet->key.source;
	int here, route = ROUTE_HERE;

	if (bpf_skb_load_bytes(skb, packet->l4_offset, &quoted, sizeof(quoted)))
		return TC_ACT_UNSPEC;
	entry = find_answering(&quoted, packet->key.destination);
	if (!entry)
		return TC_ACT_UNSPEC;
	of = member_at(entry->member);
	here = entry->role == FLOW_FORWARD && of && of->flags & MEMBER_LOCAL;
	if (!here && packet->ttl <= 1)
		return drop(DROP_TTL);
	if (!here)
		route = find_route(skb, packet, entry, &hop);
	if (route == ROUTE_NONE)
		return drop(DROP_NO_ROUTE);
	if (sender == quoted.ip.daddr)
		sender = entry->new_source;
	requote(&quoted, entry);
	if (rewrite_error(skb, packet, &quoted, sender, entry->new_destination, !here))
		return drop(DROP_CHECKSUM);
	return here ? TC_ACT_OK : send_to(skb, route, &hop);
}
