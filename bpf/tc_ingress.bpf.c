/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What arrives on a device: packets of flows, and packets that open one. */
#include "icmp.h"
#include "open.h"
#include "options.h"
#include "reset.h"
#include "track.h"

#define PACKET_HOST 0 /* linux/if_packet.h: addressed to this machine, not to another on the wire */
#define TCP_LISTEN 10
/* No other filter is kept from seeing what is not ours. */
#define NOT_OURS TC_ACT_UNSPEC

/* One of the node's own sockets, not a mere listener, has this very connection. */
static __noinline int has_own_socket(struct __sk_buff *skb, const struct packet *packet)
{
	struct bpf_sock_tuple tuple = {
		.ipv4 = {
			.saddr = packet->key.source,
			.daddr = packet->key.destination,
			.sport = packet->key.source_port,
			.dport = packet->key.destination_port,
		},
	};
	int is_udp = packet->key.protocol == IPPROTO_UDP;
	struct bpf_sock *socket;
	int owns;

	if (is_udp)
		socket = bpf_sk_lookup_udp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	else
		socket = bpf_skc_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return 0;
	if (is_udp)
		owns = socket->dst_ip4 == packet->key.source && socket->dst_port == packet->key.source_port;
	else
		owns = socket->state != TCP_LISTEN;
	bpf_sk_release(socket);
	return owns;
}

/* Whether a packet without a flow belongs to another driver of this node. A datagram does not show whether it begins one. */
static __always_inline int is_others(const struct packet *packet)
{
	const struct config *limits = settings();

	if (!limits || limits->other_driver == OTHER_NONE)
		return 0;
	return limits->other_driver == OTHER_SERVES || (packet->key.protocol == IPPROTO_TCP && !is_syn(packet));
}

static __always_inline int begin(struct __sk_buff *skb, struct packet *packet)
{
	struct service *of = find_service(packet->key.destination, packet->key.destination_port, packet->key.protocol);

	if (!of || is_others(packet))
		return STEP_PASS;
	if (packet->refuse)
		return refuse_packet(packet, STEP_DROP, packet->refuse);
	if (!is_syn(packet) && has_own_socket(skb, packet))
		return STEP_PASS;
	return open_flow(packet, of);
}

SEC("tc")
int tc_ingress(struct __sk_buff *skb)
{
	struct packet packet = {};
	struct flow *entry;
	int step = STEP_NEW;

	if (skb->pkt_type != PACKET_HOST)
		return NOT_OURS;
	if (parse(skb, &packet))
		return packet.key.protocol == IPPROTO_ICMP ? forward_error(skb, &packet) : NOT_OURS;
	packet.now = bpf_ktime_get_coarse_ns();
	entry = bpf_map_lookup_elem(&flow, &packet.key);
	if (packet.tcp_flags & (TCP_SYN | TCP_FIN) || (entry && entry->state > FLOW_ESTABLISHED))
		read_timestamp(skb, &packet);
	if (entry)
		step = track(&packet, entry);
	if (step == STEP_NEW) {
		step = begin(skb, &packet);
		entry = step == STEP_SEND ? bpf_map_lookup_elem(&flow, &packet.key) : NULL;
		if (entry)
			count_traffic(&packet, entry);
	}
	if (step == STEP_PASS)
		return NOT_OURS;
	if (step == STEP_SEND)
		return entry ? send(skb, &packet, entry) : TC_ACT_SHOT;
	return step == STEP_RESET ? answer_with_reset(skb, &packet) : drop(packet.reason);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
