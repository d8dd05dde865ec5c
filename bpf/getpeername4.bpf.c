/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* getpeername() on this node tells the address that was dialled. */
#include "local.h"

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *address)
{
	__u64 cookie = bpf_get_socket_cookie(address);
	struct local_flow *held = bpf_map_lookup_elem(&local_flow, &cookie);

	if (held) {
		address->user_ip4 = held->address;
		address->user_port = held->port;
	}
	return ALLOW;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
