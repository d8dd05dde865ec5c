/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* recvfrom() on this node: an answer of a member comes from the address that was dialled. */
#include "local.h"

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *address)
{
	struct local_datagram_key key = {
		.cookie = bpf_get_socket_cookie(address),
		.address = address->user_ip4,
		.port = address->user_port,
		.role = FLOW_REPLY,
	};
	struct local_datagram *known = bpf_map_lookup_elem(&local_datagram, &key);
	struct local_flow *connected;
	struct member *of;

	if (known) {
		known->last_ns = bpf_ktime_get_coarse_ns();
		address->user_ip4 = known->address;
		address->user_port = known->port;
		return ALLOW;
	}
	connected = bpf_map_lookup_elem(&local_flow, &key.cookie);
	of = connected ? member_at(connected->member) : NULL;
	if (of && of->address == key.address && of->port == key.port) {
		address->user_ip4 = connected->address;
		address->user_port = connected->port;
	}
	return ALLOW;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
