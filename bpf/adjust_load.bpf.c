/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Corrects a member's load while packets count on it. */
#include "maps.h"

SEC("syscall")
int adjust_load(struct adjust_load_request *request)
{
	add_load(request->member, request->delta);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
