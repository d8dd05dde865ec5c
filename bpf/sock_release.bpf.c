/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* close() of a socket on this node: what it held of a member's load is given back. */
#include "local.h"

SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *socket)
{
	forget_local_flow(bpf_get_socket_cookie(socket));
	return ALLOW;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
