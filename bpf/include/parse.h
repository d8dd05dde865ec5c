/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Reads Ethernet, IPv4 with options, TCP and UDP. What it cannot read whole is not ours. */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include "maps.h"
#include "packet.h"

#define FRAGMENT_OFFSET 0x1fff
#define MORE_FRAGMENTS 0x2000

/* Makes the first `wanted` bytes readable. Invalidates packet pointers. */
static __always_inline int make_linear(struct __sk_buff *skb, __u32 wanted)
{
	if ((long)skb->data + wanted <= (long)skb->data_end)
		return 0;
	return skb->len < wanted ? -1 : (int)bpf_skb_pull_data(skb, wanted);
}

static __always_inline int parse_tcp(struct __sk_buff *skb, struct packet *packet, __u32 l4_length)
{
	struct tcphdr *tcp = transport_of(skb, packet);
	__u32 bits;

	if ((void *)(tcp + 1) > (void *)(long)skb->data_end)
		return -1;
	bits = bpf_ntohl(((__be32 *)tcp)[3]);
	packet->key.source_port = tcp->source;
	packet->key.destination_port = tcp->dest;
	packet->tcp_flags = bits >> 16;
	packet->header_length = bits >> 28 << 2;
	packet->sequence = bpf_ntohl(tcp->seq);
	packet->ack = bpf_ntohl(tcp->ack_seq);
	if (packet->header_length < sizeof(*tcp) || packet->header_length > l4_length)
		packet->refuse = DROP_MALFORMED;
	packet->end_sequence = packet->sequence + l4_length - packet->header_length +
			       !!(packet->tcp_flags & TCP_SYN) + (packet->tcp_flags & TCP_FIN);
	return 0;
}

static __always_inline int parse_udp(struct __sk_buff *skb, struct packet *packet)
{
	struct udphdr *udp = transport_of(skb, packet);

	if ((void *)(udp + 1) > (void *)(long)skb->data_end)
		return -1;
	packet->header_length = sizeof(*udp);
	packet->key.source_port = udp->source;
	packet->key.destination_port = udp->dest;
	return 0;
}

/* Returns 0 when the packet is TCP or UDP in IPv4 and no later fragment. Of another protocol the IP header is read. */
static __always_inline int parse(struct __sk_buff *skb, struct packet *packet)
{
	struct iphdr *ip;
	__u32 header, l4_minimum;
	__u16 fragment;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present)
		return -1;
	if (make_linear(skb, ETH_HLEN + sizeof(*ip)))
		return -1;
	ip = (void *)(long)skb->data + ETH_HLEN;
	if ((void *)(ip + 1) > (void *)(long)skb->data_end || ip->version != 4 || ip->ihl < 5)
		return -1;
	fragment = bpf_ntohs(ip->frag_off);
	if (fragment & FRAGMENT_OFFSET)
		return -1;
	if (fragment & MORE_FRAGMENTS)
		packet->refuse = DROP_FRAGMENT;
	packet->key.source = ip->saddr;
	packet->key.destination = ip->daddr;
	packet->key.protocol = ip->protocol;
	packet->ttl = ip->ttl;
	/* A segment train above 64 KiB carries length 0. */
	packet->length = ip->tot_len ? bpf_ntohs(ip->tot_len) : skb->len - ETH_HLEN;
	header = ip->ihl * 4;
	packet->l4_offset = ETH_HLEN + header;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP)
		return -1;
	l4_minimum = ip->protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);
	if (packet->length < header + l4_minimum || packet->length + ETH_HLEN > skb->len)
		return -1;
	if (make_linear(skb, packet->l4_offset + l4_minimum))
		return -1;
	if (packet->key.protocol == IPPROTO_UDP)
		return parse_udp(skb, packet);
	return parse_tcp(skb, packet, packet->length - header);
}
