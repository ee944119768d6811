// growth_describe.c - what the runtime is about to do follows from which function was entered and
// from the header it was entered with: hashGrow doubles when one more entry is over the load of
// 6.5 (of 6 in Go 1.21), and else keeps the size (runtime/map.go); a table doubles until it has
// 1,024 slots and then splits (internal/runtime/maps/table.go).
#include "trace/growth_describe.h"

#include "maps/shape.h"
#include "maps/swiss.h"

#include <math.h>

static const uint64_t SLOTS_MAX = (uint64_t)8 << 48; // More than any address can tell apart.

static uint64_t allocated(const struct ms_go_layout *l, uint64_t units,
			  const struct ms_growth_type *type)
{
	uint64_t bytes;

	if (!type->unit_bytes || units > ((uint64_t)1 << 40))
		return MS_UNKNOWN;
	bytes = units ? ms_go_alloc_bytes(l, units * type->unit_bytes, type->has_pointers) : 0;
	return units && !bytes ? MS_UNKNOWN : bytes;
}

static uint64_t bucket_bytes(const struct ms_go_layout *l, uint64_t slots,
			     const struct ms_growth_type *type)
{
	unsigned log2 = (unsigned)__builtin_ctzll(slots / MS_SWISS_SLOTS);

	return allocated(l, ms_classic_buckets(log2), type);
}

static void classic_sizes(const struct ms_go_layout *l, const struct ms_bpf_event *raw,
			  const struct ms_growth_type *type, struct ms_growth_event *e)
{
	e->kind = MS_GROWTH_EVENT_DOUBLE;
	if (raw->unread & MS_BPF_UNREAD_MAP || !ms_is_power_of_two(raw->slots) || raw->slots < 8 ||
	    raw->slots > SLOTS_MAX)
		return;
	if (!raw->is_over)
		e->kind = MS_GROWTH_EVENT_SAME_SIZE;
	e->from = e->capacity = raw->slots;
	e->to = e->kind == MS_GROWTH_EVENT_DOUBLE ? 2 * e->from : e->from;
	e->from_bytes = bucket_bytes(l, e->from, type);
	e->to_bytes = bucket_bytes(l, e->to, type);
	if (e->from_bytes != MS_UNKNOWN && e->to_bytes != MS_UNKNOWN)
		e->together_bytes = e->from_bytes + e->to_bytes;
}

static void swiss_sizes(const struct ms_go_layout *l, const struct ms_bpf_event *raw,
			const struct ms_growth_type *type, struct ms_growth_event *e)
{
	uint64_t groups = raw->slots / MS_SWISS_SLOTS;

	if (raw->kind == MS_BPF_TO_SMALL)
		e->kind = MS_GROWTH_EVENT_TO_SMALL;
	else if (raw->kind == MS_BPF_TO_TABLE)
		e->kind = MS_GROWTH_EVENT_TO_TABLE;
	else if (raw->kind == MS_BPF_TABLE_SPLIT)
		e->kind = MS_GROWTH_EVENT_SPLIT;
	else
		e->kind = MS_GROWTH_EVENT_DOUBLE;
	if (raw->unread & MS_BPF_UNREAD_TABLE || raw->slots > MS_SWISS_TABLE_CAPACITY_MAX)
		return;
	e->from = raw->slots;
	e->to = e->from ? 2 * e->from : MS_SWISS_SLOTS;
	e->from_bytes = allocated(l, groups, type);
	if (e->kind == MS_GROWTH_EVENT_SPLIT) // Into two of the same size.
		e->to_bytes = e->from_bytes == MS_UNKNOWN ? MS_UNKNOWN : 2 * e->from_bytes;
	else
		e->to_bytes = allocated(l, e->to / MS_SWISS_SLOTS, type);
	if (raw->unread & MS_BPF_UNREAD_MAP)
		return;
	if (raw->directory <= 1) // The whole map is this table, or small.
		e->capacity = e->from;
	else if (raw->table_entries <= raw->slots)
		e->table_entries = raw->table_entries;
}

void ms_growth_describe_sizes(const struct ms_go_layout *l, const struct ms_bpf_event *raw,
			      const struct ms_growth_type *type, struct ms_growth_event *e)
{
	e->from = e->to = e->from_bytes = e->to_bytes = e->capacity = MS_UNKNOWN;
	e->table_entries = MS_UNKNOWN;
	e->together_bytes = MS_UNKNOWN;
	if (raw->kind == MS_BPF_HASH_GROW)
		classic_sizes(l, raw, type, e);
	else
		swiss_sizes(l, raw, type, e);
}

struct ms_growth_event ms_growth_describe(const struct ms_go_layout *l,
					  const struct ms_bpf_event *raw,
					  const struct ms_growth_type *type, double began)
{
	struct ms_growth_event e = {
		.time_s = (double)raw->time_ns / 1e9 - began,
		.map = raw->map,
		.table = raw->unread & (MS_BPF_UNREAD_MAP | MS_BPF_UNREAD_TABLE) ? 0 : raw->table,
		.type = type->name,
		.map_kind = raw->kind == MS_BPF_HASH_GROW ? MS_MAP_CLASSIC : MS_MAP_SWISS,
		.entries = raw->unread & MS_BPF_UNREAD_MAP ? MS_UNKNOWN : raw->entries,
		.goroutine = raw->unread & MS_BPF_UNREAD_GOROUTINE ? MS_UNKNOWN : raw->goid,
		.thread = raw->unread & MS_BPF_UNREAD_THREAD ? 0 : raw->thread,
		.p = raw->unread & MS_BPF_UNREAD_P ? UINT32_MAX : raw->p,
		.stack = MS_NO_STACK,
		.duration_s = NAN,
		.duration_error_s = NAN,
		.gc_sooner_bytes = NAN,
	};

	e.earliest_s = e.time_s;
	ms_growth_describe_sizes(l, raw, type, &e);
	return e;
}
