/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* connect() on this node: TCP, and UDP sockets that are connected. */
#include "local.h"

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *address)
{
	__u64 cookie = bpf_get_socket_cookie(address);
	struct local_flow kept = { .address = address->user_ip4, .port = address->user_port, .protocol = address->protocol };
	struct client client = {};
	struct member *chosen;
	struct service *of;
	int index;

	/* A UDP socket may connect again, and a TCP socket whose connect() failed. */
	forget_local_flow(cookie);
	if (!serves(address))
		return ALLOW;
	of = find_local_service(kept.address, kept.port, kept.protocol);
	if (!of)
		return ALLOW;
	index = choose_locally(address, of, &client);
	if (index == NO_MEMBER)
		return ALLOW;
	chosen = member_at(index);
	kept.member = index;
	kept.pool = of->pool;
	kept.why = client.why;
	kept.created_ns = client.now;
	if (!chosen || bpf_map_update_elem(&local_flow, &cookie, &kept, BPF_ANY)) {
		add_load(index, -1);
		count(DROP_FLOW_TABLE_FULL);
		return ALLOW;
	}
	address->user_ip4 = chosen->address;
	address->user_port = chosen->port;
	return ALLOW;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
