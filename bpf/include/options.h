/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/* The TCP timestamp option. Looked for where it matters: when a connection opens or closes. */
#include "parse.h"

#define OPTION_BYTES 40

struct tcp_options {
	__u8 bytes[OPTION_BYTES];
	__u32 length;
	__u32 at;
	__u32 timestamp; /* out */
};

/* Reads one option and returns whether others may follow. A function of its own, so that it is verified once. */
__weak __noinline int next_option(struct tcp_options *options)
{
	__u32 at;
	__u8 kind, size;

	if (!options)
		return 0;
	at = options->at;
	/* A timestamp would not fit in what is left. */
	if (at > OPTION_BYTES - 10 || at + 10 > options->length)
		return 0;
	kind = options->bytes[at];
	size = options->bytes[at + 1];
	if (kind == 1) {
		options->at++;
		return 1;
	}
	if (kind == 8 && size == 10) {
		options->timestamp = (__u32)options->bytes[at + 2] << 24 | options->bytes[at + 3] << 16 |
				     options->bytes[at + 4] << 8 | options->bytes[at + 5];
		return 0;
	}
	options->at += size;
	return kind != 0 && size >= 2;
}

static __noinline void read_timestamp(struct __sk_buff *skb, struct packet *packet)
{
	struct tcp_options options = {};
	__u32 length = packet->header_length - sizeof(struct tcphdr);

	if (packet->header_length <= sizeof(struct tcphdr) || length > OPTION_BYTES)
		return;
	/* Spelled out, or the compiler forgets the lower bound that the verifier asks for. */
	asm volatile("" : "+r"(length));
	if (length - 1 >= OPTION_BYTES)
		return;
	if (bpf_skb_load_bytes(skb, packet->l4_offset + sizeof(struct tcphdr), options.bytes, length))
		return;
	options.length = length;
	for (int round = 0; round < OPTION_BYTES; round++)
		if (!next_option(&options))
			break;
	packet->timestamp = options.timestamp;
}
