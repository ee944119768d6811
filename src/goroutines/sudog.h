// sudog.h - what the runtime keeps of one that waits (runtime2.go).
#pragma once

#include "base/types.h"
#include "golang/layout.h"

enum { MS_SUDOG_BYTES_MAX = 256 };

struct ms_sudog {
	ms_addr g, elem, channel, link, next;
	uint32_t ticket;
	bool is_select;
};

/** From Go 1.26 on elem and c are two words, of which the last is the address (runtime2.go). */
static inline struct ms_sudog ms_sudog_parse(const struct ms_go_layout *l, const uint8_t *raw)
{
	return (struct ms_sudog){
		.g = ms_load_u64(raw + l->sudog_g),
		.elem = ms_load_u64(raw + l->sudog_acquiretime - 8),
		.channel = ms_load_u64(raw + l->sudog_size - 8),
		.link = ms_load_u64(raw + l->sudog_waitlink),
		.next = ms_load_u64(raw + l->sudog_next),
		.ticket = ms_load_u32(raw + l->sudog_ticket),
		.is_select = raw[l->sudog_is_select] != 0,
	};
}
