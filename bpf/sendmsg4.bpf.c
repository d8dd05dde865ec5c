/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* sendto() of UDP sockets on this node that are not connected. Not counted in loads: nothing says when they end. */
#include "local.h"

/* Where this socket's datagrams to this address went last, while that may go on. */
static __always_inline struct member *known_member(const struct local_datagram_key *key, const struct service *of, __u64 now)
{
	struct local_datagram *known = bpf_map_lookup_elem(&local_datagram, key);
	struct config *limits = settings();
	struct member *last;

	if (!known || !limits || known->pool != of->pool || now - known->last_ns > limits->datagram_ns)
		return NULL;
	last = member_at(known->member);
	if (!last || last->address != known->address || last->port != known->port)
		return NULL;
	if (last->state != MEMBER_ACTIVE && last->state != MEMBER_PAUSED)
		return NULL;
	known->last_ns = now;
	return last;
}

static __always_inline struct member *new_member(struct bpf_sock_addr *address, const struct local_datagram_key *key,
						 const struct service *of)
{
	struct client client = {};
	struct local_datagram_key back = { .cookie = key->cookie, .role = FLOW_REPLY };
	struct local_datagram value = { .pool = of->pool };
	int index = choose_locally(address, of, &client);
	struct member *chosen;

	if (index == NO_MEMBER)
		return NULL;
	add_load(index, -1);
	chosen = member_at(index);
	if (!chosen)
		return NULL;
	back.address = chosen->address;
	back.port = chosen->port;
	value.member = index;
	value.last_ns = client.now;
	value.address = key->address;
	value.port = key->port;
	if (bpf_map_update_elem(&local_datagram, &back, &value, BPF_ANY))
		goto full;
	value.address = chosen->address;
	value.port = chosen->port;
	if (bpf_map_update_elem(&local_datagram, key, &value, BPF_ANY))
		goto full;
	return chosen;
full:
	count(DROP_FLOW_TABLE_FULL);
	return NULL;
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *address)
{
	struct local_datagram_key key = { .address = address->user_ip4, .port = address->user_port, .role = FLOW_FORWARD };
	struct member *chosen;
	struct service *of;

	if (!serves(address))
		return ALLOW;
	of = find_local_service(key.address, key.port, IPPROTO_UDP);
	if (!of)
		return ALLOW;
	key.cookie = bpf_get_socket_cookie(address);
	chosen = known_member(&key, of, bpf_ktime_get_coarse_ns());
	if (!chosen)
		chosen = new_member(address, &key, of);
	if (!chosen)
		return ALLOW;
	address->user_ip4 = chosen->address;
	address->user_port = chosen->port;
	return ALLOW;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
