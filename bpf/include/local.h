/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * Clients on this node: their sockets connect straight to the member, and the packets are nobody's concern afterwards.
 * The scheduler, its ticket and the loads are those of TC.
 */
#include <linux/in.h>
#include "open.h"

#define ALLOW 1
#define LOOPBACK bpf_htonl(0x7f000001)

/* Whether this socket's owner is to be served. */
static __always_inline int serves(struct bpf_sock_addr *address)
{
	struct config *limits = settings();

	if (!limits || limits->local_clients == LOCAL_OFF || limits->other_driver == OTHER_SERVES)
		return 0;
	return limits->local_clients == LOCAL_ALL || bpf_get_netns_cookie(address) == limits->netns_cookie;
}

static __always_inline struct service *find_local_service(__be32 address, __be16 port, __u8 protocol)
{
	struct service_key key = { .port = port, .protocol = protocol };

	return address == LOOPBACK ? bpf_map_lookup_elem(&service, &key) : find_service(address, port, protocol);
}

/* As choose_member; sh and affinity stand for the network namespace, mh for the socket. */
static __always_inline int choose_locally(struct bpf_sock_addr *address, const struct service *of, struct client *client)
{
	__u64 space = bpf_get_netns_cookie(address), socket = bpf_get_socket_cookie(address);
	int index;

	if (of->closing_deadline_ns)
		return NO_MEMBER;
	client->source_hash = hash_words(space, space >> 32);
	client->flow_hash = hash_words(socket, socket >> 32);
	client->identity = client->source_hash;
	client->now = bpf_ktime_get_coarse_ns();
	index = choose_member(of, client);
	if (index != NO_MEMBER) {
		count_connection(index);
		keep_affinity(of, client, index);
	}
	return index;
}

/* Ends what a socket had, once. */
static __always_inline void forget_local_flow(__u64 cookie)
{
	struct local_flow *held = bpf_map_lookup_elem(&local_flow, &cookie);
	__u32 index;

	if (!held)
		return;
	index = held->member;
	if (!bpf_map_delete_elem(&local_flow, &cookie))
		add_load(index, -1);
}
