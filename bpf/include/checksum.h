/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#pragma once
/*
 * One's complement arithmetic on words as they lie in memory: right on any byte order. TCP's and UDP's checksums are left
 * to the kernel's helper, which alone knows whether the field holds the whole sum or only the pseudo-header's
 * (CHECKSUM_PARTIAL); the helper wants addresses and ports apart.
 */
#include <linux/types.h>

static __always_inline __u32 fold_to_32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 fold_to_16(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* What is added to a sum in which `before` is replaced by `after`. */
static __always_inline __u64 exchanged(__u32 before, __u32 after)
{
	return (__u64)(__u32)~before + after;
}
