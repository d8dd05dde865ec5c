/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Gives a packet the addresses and ports of its flow entry. */
#include "checksum.h"
#include "parse.h"

/* In one's complement ~0 is 0: a change to be skipped. */
static __always_inline int correct_l4(struct __sk_buff *skb, const struct packet *packet, const struct flow *entry)
{
	int is_udp = packet->key.protocol == IPPROTO_UDP;
	__u32 field = packet->l4_offset + (is_udp ? offsetof(struct udphdr, check) : offsetof(struct tcphdr, check));
	__u64 flags = is_udp ? BPF_F_MARK_MANGLED_0 : 0;
	__u32 addresses = fold_to_32(exchanged(packet->key.source, entry->new_source) +
				     exchanged(packet->key.destination, entry->new_destination));
	__u32 ports = fold_to_32(exchanged(packet->key.source_port, entry->new_source_port) +
				 exchanged(packet->key.destination_port, entry->new_destination_port));

	if (addresses != 0xffffffff && bpf_l4_csum_replace(skb, field, 0, addresses, flags | BPF_F_PSEUDO_HDR))
		return -1;
	if (ports != 0xffffffff && bpf_l4_csum_replace(skb, field, 0, ports, flags))
		return -1;
	return 0;
}

/* Invalidates packet pointers. */
static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *packet, const struct flow *entry, int hops)
{
	struct iphdr *ip;
	__be16 *ports;
	__u64 sum;

	if (correct_l4(skb, packet, entry))
		return -1;
	ip = (void *)(long)skb->data + ETH_HLEN;
	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return -1;
	sum = exchanged(ip->saddr, entry->new_source) + exchanged(ip->daddr, entry->new_destination);
	sum += (__u16)~ip->check;
	/* One hop less takes 0x0100 off the word that the TTL is the high byte of: adds its complement. */
	if (hops) {
		sum += (__u16)~bpf_htons(0x0100);
		ip->ttl--;
	}
	ip->check = ~fold_to_16(fold_to_32(sum));
	ip->saddr = entry->new_source;
	ip->daddr = entry->new_destination;
	ports = transport_of(skb, packet);
	if ((void *)(ports + 2) > (void *)(long)skb->data_end)
		return -1;
	ports[0] = entry->new_source_port;
	ports[1] = entry->new_destination_port;
	return 0;
}
