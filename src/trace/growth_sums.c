// growth_sums.c - rows found by the hash of what they have in common.
#include "trace/growth_sums.h"

#include "base/hash.h"
#include "base/vec.h"

#include <stdlib.h>

static bool is_row(const struct ms_growth_sum *row, const struct ms_growth_sum *sum)
{
	return row->map == sum->map && row->kind == sum->kind && row->stack == sum->stack &&
	       row->type == sum->type;
}

static uint64_t key_of(const struct ms_growth_sum *sum)
{
	uint64_t key = ms_hash_number(sum->map * 31 + sum->kind);

	key = ms_hash_number(key * 31 + sum->stack);
	key = ms_hash_number(key * 31 + (uint64_t)(uintptr_t)sum->type);
	return key ? key : 1;
}

static void add_to(struct ms_growth_sum *row, const struct ms_growth_sum *sum)
{
	row->count += sum->count;
	if (row->to_bytes == MS_UNKNOWN || sum->to_bytes >= MS_UNKNOWN - row->to_bytes)
		row->to_bytes = MS_UNKNOWN;
	else
		row->to_bytes += sum->to_bytes;
	if (!row->owner)
		row->owner = sum->owner;
}

static struct ms_error *add_row(struct ms_growth_sums *s, uint64_t key,
				const struct ms_growth_sum *sum)
{
	struct ms_trace_report *r = s->report;
	struct {
		struct ms_growth_sum *items;
		size_t count, capacity;
	} rows = { r->sums, r->sum_count, r->sum_capacity };
	bool added = ms_vec_push(&rows, *sum);

	r->sums = rows.items;
	r->sum_count = rows.count;
	r->sum_capacity = rows.capacity;
	if (!added || !ms_number_map_add(&s->row_of, key, (uint32_t)r->sum_count - 1))
		return ms_error_no_memory();
	return NULL;
}

struct ms_error *ms_growth_sums_add(struct ms_growth_sums *s, const struct ms_growth_sum *sum)
{
	struct ms_growth_sum wanted = *sum;
	const uint32_t *row;
	uint64_t key;

	for (;;) {
		key = key_of(&wanted);
		while ((row = ms_number_map_find(&s->row_of, key))) {
			if (is_row(&s->report->sums[*row], &wanted)) {
				add_to(&s->report->sums[*row], &wanted);
				return NULL;
			}
			key = key + 1 ? key + 1 : 1;
		}
		if (s->report->sum_count < MS_GROWTH_SUMS_MAX || !wanted.map)
			return add_row(s, key, &wanted);
		wanted.map = 0; // One row for what finds no room, by kind.
		wanted.stack = MS_NO_STACK;
		wanted.type = wanted.owner = NULL;
	}
}

static int by_count(const void *a, const void *b)
{
	const struct ms_growth_sum *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	if (x->to_bytes != y->to_bytes)
		return x->to_bytes < y->to_bytes ? 1 : -1;
	if (x->map != y->map)
		return x->map < y->map ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

void ms_growth_sums_order(struct ms_trace_report *report)
{
	if (report->sum_count)
		qsort(report->sums, report->sum_count, sizeof(*report->sums), by_count);
}

void ms_growth_sums_deinit(struct ms_growth_sums *s)
{
	ms_number_map_deinit(&s->row_of);
}
