// growth_steps.c - what a header must have gone through to be as it is now.
//
// A classic map doubles whenever it passes 6.5 entries a bucket and rebuilds itself in its own size
// when overflow buckets pile up; either way its array is another one afterwards, and while entries
// are moved the header names the array they come from.  So
//
//	buckets x 2^k                         it doubled k times
//	as many, another array                it was rebuilt, once or more
//	an old array that was not the array   one more growth lay between
//
// What a doubling began with is certain only where nothing but it can have happened: then it began
// when the next entry was one too many.
#include "trace/growth_steps.h"

#include "maps/classic.h"
#include "maps/swiss.h"
#include "report/growth_trace.h"

struct steps {
	const struct ms_go_layout *layout; // Of classic maps.
	ms_growth_step_fn fn;
	void *context;
	bool several;
	const struct ms_table_look *before; // Tables.
};

static struct ms_error *step(const struct steps *s, enum ms_growth_event_kind kind, uint64_t from,
			     uint64_t to, uint64_t entries)
{
	const struct ms_growth_step made = { (uint8_t)kind, from, to, entries, from, s->several };

	return s->fn(s->context, &made);
}

static struct ms_error *same_size(const struct steps *s, uint64_t buckets, uint64_t count)
{
	uint64_t slots = buckets * MS_CLASSIC_SLOTS;
	struct ms_error *err = NULL;

	for (uint64_t i = 0; i < count && !err; i++)
		err = step(s, MS_GROWTH_EVENT_SAME_SIZE, slots, slots, MS_UNKNOWN);
	return err;
}

/** True when the one doubling that is seen is all that happened, and began as it always does. */
static bool is_certain(const struct ms_followed_map *m, const struct ms_poll *now, unsigned doubled)
{
	if (doubled != 1 || (m->last.growing && m->last.same_size))
		return false;
	// One bucket cannot overflow; else the array that is emptied is the one of the last look.
	return m->last.size == 1 || (now->growing && now->old_table == m->last.table);
}

static struct ms_error *doublings(const struct steps *s, const struct ms_followed_map *m,
				  const struct ms_poll *now, unsigned doubled)
{
	bool certain = is_certain(m, now, doubled);
	struct ms_error *err = NULL;

	for (unsigned i = 0; i < doubled && !err; i++) {
		uint64_t buckets = m->last.size << i;
		unsigned log2 = (unsigned)__builtin_ctzll(buckets);
		uint64_t entries = certain ? ms_classic_grow_at(s->layout, log2) - 1 : MS_UNKNOWN;

		err = step(s, MS_GROWTH_EVENT_DOUBLE, buckets * MS_CLASSIC_SLOTS,
			   buckets * MS_CLASSIC_SLOTS * 2, entries);
	}
	return err;
}

struct ms_error *ms_growth_steps_classic(const struct ms_go_layout *layout,
					 const struct ms_followed_map *m, const struct ms_poll *now,
					 ms_growth_step_fn fn, void *context)
{
	struct steps s = { .layout = layout, .fn = fn, .context = context };
	bool foreign = now->growing && now->old_table != m->last.table;
	unsigned doubled;
	uint64_t before = 0, after = 0;
	struct ms_error *err;

	if (now->table == m->last.table || now->size < m->last.size || !m->last.size)
		return NULL;
	doubled = (unsigned)(__builtin_ctzll(now->size) - __builtin_ctzll(m->last.size));
	if (!doubled && m->last.table)
		before = 1u + foreign;
	if (doubled == 1 && foreign && !now->same_size && m->last.table)
		before = 1;
	if (doubled && now->growing && now->same_size)
		after = 1;
	s.several = doubled + before + after > 1;
	err = same_size(&s, m->last.size, before);
	if (!err)
		err = doublings(&s, m, now, doubled);
	return err ? err : same_size(&s, now->size, after);
}

struct ms_error *ms_growth_steps_swiss(const struct ms_followed_map *m, const struct ms_poll *now,
				       ms_growth_step_fn fn, void *context)
{
	struct steps s = { .fn = fn, .context = context };
	bool first = !m->last.table && now->table, table = !m->last.size && now->size;
	struct ms_error *err = NULL;

	s.several = first && table;
	if (first)
		err = step(&s, MS_GROWTH_EVENT_TO_SMALL, 0, MS_SWISS_SLOTS, 0);
	if (!err && table)
		err = step(&s, MS_GROWTH_EVENT_TO_TABLE, MS_SWISS_SLOTS, MS_TABLE_FIRST_SLOTS,
			   MS_SWISS_SLOTS);
	return err;
}

static struct ms_error *table_step(void *context, const struct ms_table_change *change,
				   size_t index, size_t count)
{
	const struct steps *s = context;
	const struct ms_growth_step made = {
		.kind = change->is_split ? MS_GROWTH_EVENT_SPLIT : MS_GROWTH_EVENT_DOUBLE,
		.from = change->from,
		.to = change->to,
		.entries = MS_UNKNOWN,
		.capacity = count == 1 ? ms_table_look_slots(s->before) : MS_UNKNOWN,
		.one_of_several = count > 1,
	};

	(void)index;
	return s->fn(s->context, &made);
}

struct ms_error *ms_growth_steps_tables(const struct ms_followed_map *m,
					const struct ms_table_look *tables, ms_growth_step_fn fn,
					void *context)
{
	struct steps s = { .fn = fn, .context = context, .before = &m->tables };
	struct ms_error *err;

	if (!m->tables.count)
		return NULL;
	err = ms_table_look_compare(&m->tables, tables, table_step, &s);
	if (err && ms_error_code(err) == MS_ERR_BAD_DATA) {
		ms_error_free(err); // The next look begins anew from this one.
		return NULL;
	}
	return err;
}
