/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * The hash by which sh, mh and the choice of source addresses pick; every node must get the same from the same client.
 *
 * mix(h) is murmur3's finaliser:
 *     h ^= h >> 16; h *= 0x85ebca6b; h ^= h >> 13; h *= 0xc2b2ae35; h ^= h >> 16        (32 bits)
 * hash_words(a, b) = mix(mix(a ^ 0x9e3779b9) ^ b)
 *
 * sh: hash_words(client address, 0); mh: hash_words(client address, client port << 16 | IP protocol), all in host order:
 * 192.0.2.1 is 0xc0000201. For clients on the node: sh hash_words(netns cookie low, high), mh hash_words(socket cookie low, high).
 * The slot is the hash modulo the table's size. Test vectors: bpf/test/scheduling.test.ts.
 */
#include <linux/types.h>

static __always_inline __u32 mix(__u32 h)
{
	h ^= h >> 16;
	h *= 0x85ebca6b;
	h ^= h >> 13;
	h *= 0xc2b2ae35;
	return h ^ h >> 16;
}

static __always_inline __u32 hash_words(__u32 a, __u32 b)
{
	return mix(mix(a ^ 0x9e3779b9) ^ b);
}
