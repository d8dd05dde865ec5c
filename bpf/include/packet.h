/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* One packet on its way through the steps. */
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include "maps.h"

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

struct packet {
	struct flow_key key;
	__u32 l4_offset;    /* from the Ethernet header */
	__u32 sequence;	    /* host order, as all that follow */
	__u32 end_sequence; /* behind the last byte, SYN and FIN counted */
	__u32 ack;
	__u32 timestamp; /* TCP timestamp value, 0 = none or not looked for */
	__u32 length;	 /* of the IP packet */
	__u8 tcp_flags;
	__u8 header_length; /* of TCP or UDP, bytes */
	__u8 ttl;
	__u8 why;    /* enum flow_why of the flow that this packet opens */
	__u8 refuse; /* drop reason, should the packet turn out to be ours: it cannot be forwarded */
	__u8 reason; /* drop reason behind STEP_RESET and STEP_DROP */
	__u8 pad[2];
	__u64 now; /* bpf_ktime_get_coarse_ns(): 20 ns cheaper, a tick behind */
};

/* What becomes of a packet. */
enum step {
	STEP_PASS,  /* none of ours */
	STEP_SEND,  /* by the entry of its tuple */
	STEP_NEW,   /* it has no flow (any more) */
	STEP_RESET, /* TCP: answer with RST; else drop */
	STEP_DROP,
};

static __always_inline int refuse_packet(struct packet *packet, int step, __u8 reason)
{
	packet->reason = reason;
	return step;
}

static __always_inline int drop(__u32 reason)
{
	count(reason);
	return TC_ACT_SHOT;
}

/* The first packet of a TCP connection. */
static __always_inline int is_syn(const struct packet *packet)
{
	return (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* The TCP or UDP header, spelled so that the verifier sees it near and aligned; some kernels insist on the latter. */
static __always_inline void *transport_of(const struct __sk_buff *skb, const struct packet *packet)
{
	return (void *)(long)skb->data + ETH_HLEN + ((packet->l4_offset - ETH_HLEN) & 0x3c);
}

/* a is behind b in TCP's circle of sequence numbers. */
static __always_inline int is_after(__u32 a, __u32 b)
{
	return (__s32)(a - b) > 0;
}
