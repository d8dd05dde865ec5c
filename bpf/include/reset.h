/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* Turns a TCP packet into the RST that answers it, and sends it back out of the device that it came in by. */
#include "send.h"

#define RESET_TTL 64
#define DO_NOT_FRAGMENT 0x4000

struct reset_packet {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

/* The sum over an even number of bytes, at most 40. */
static __always_inline __u32 sum_words(const void *from, int bytes)
{
	const __u16 *words = from;
	__u32 sum = 0;

	for (int word = 0; word < bytes / 2; word++)
		sum += words[word];
	return sum;
}

static __always_inline void write_ip(void *to, const struct packet *packet)
{
	struct iphdr header = {
		.version = 4,
		.ihl = sizeof(header) / 4,
		.tot_len = bpf_htons(sizeof(struct iphdr) + sizeof(struct tcphdr)),
		.frag_off = bpf_htons(DO_NOT_FRAGMENT),
		.ttl = RESET_TTL,
		.protocol = IPPROTO_TCP,
		.saddr = packet->key.destination,
		.daddr = packet->key.source,
	};

	header.check = ~fold_to_16(sum_words(&header, sizeof(header)));
	__builtin_memcpy(to, &header, sizeof(header));
}

/* RFC 9293, 3.10.7.1: the sequence number that the other side expects, or an acknowledgement of all that it sent. */
static __always_inline void fill_tcp(struct tcphdr *tcp, const struct packet *packet)
{
	tcp->source = packet->key.destination_port;
	tcp->dest = packet->key.source_port;
	tcp->doff = sizeof(*tcp) / 4;
	tcp->rst = 1;
	if (packet->tcp_flags & TCP_ACK) {
		tcp->seq = bpf_htonl(packet->ack);
	} else {
		tcp->ack_seq = bpf_htonl(packet->end_sequence);
		tcp->ack = 1;
	}
}

/* The checksum by the helper: the packet may be one whose sum the device, or nobody, computes. 0xffff is its zero. */
static __always_inline int seal(struct __sk_buff *skb, const struct packet *packet, const struct tcphdr *tcp)
{
	__u32 field = offsetof(struct reset_packet, tcp) + offsetof(struct tcphdr, check);
	__u64 pseudo = (__u64)packet->key.source + packet->key.destination + bpf_htons(IPPROTO_TCP) + bpf_htons(sizeof(*tcp));

	if (bpf_l4_csum_replace(skb, field, 0, fold_to_32(pseudo), BPF_F_PSEUDO_HDR))
		return -1;
	return bpf_l4_csum_replace(skb, field, 0, sum_words(tcp, sizeof(*tcp)), 0);
}

static __noinline int answer_with_reset(struct __sk_buff *skb, const struct packet *packet)
{
	struct reset_packet *out;
	struct tcphdr tcp = {};
	__u8 mac[ETH_ALEN];

	count(packet->reason);
	if (packet->key.protocol != IPPROTO_TCP || packet->tcp_flags & TCP_RST)
		return TC_ACT_SHOT;
	/* Refused when the checksum of a packet with IP options is still to be computed by the device: silence, then. */
	if (bpf_skb_change_tail(skb, sizeof(*out), 0))
		return TC_ACT_SHOT;
	out = (void *)(long)skb->data;
	if ((void *)(out + 1) > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	__builtin_memcpy(mac, out->ethernet.h_dest, ETH_ALEN);
	__builtin_memcpy(out->ethernet.h_dest, out->ethernet.h_source, ETH_ALEN);
	__builtin_memcpy(out->ethernet.h_source, mac, ETH_ALEN);
	write_ip((__u8 *)out + ETH_HLEN, packet);
	fill_tcp(&tcp, packet);
	__builtin_memcpy(&out->tcp, &tcp, sizeof(tcp));
	out->tcp.check = 0xffff;
	if (seal(skb, packet, &tcp))
		return TC_ACT_SHOT;
	return bpf_redirect(skb->ifindex, 0);
}
