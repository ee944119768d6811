// table_look.c - from one directory to the next: which tables doubled, which were split.
//
// Depths only rise and, at one depth, slots only double up to 1,024, from where on a table is split
// into two of 1,024 (internal/runtime/maps/table.go, rehash).  So between two looks a table of 64
// slots in whose place stand three tables has doubled four times and was split twice.  A map that
// is cleared keeps its tables.  Anything else is another map, or a look at a change under way.
#include "trace/table_look.h"

#include "base/vec.h"
#include "maps/swiss.h"

enum { ENTRY_BYTES = 8 };

void ms_table_look_deinit(struct ms_table_look *look)
{
	ms_vec_free(look);
}

static uint64_t share_of(unsigned depth)
{
	return (uint64_t)1 << (MS_SWISS_DEPTH_MAX - depth);
}

struct ms_error *ms_table_look_first(struct ms_table_look *look)
{
	look->count = 0;
	return ms_vec_push(look, { .slots = MS_TABLE_FIRST_SLOTS }) ? NULL : ms_error_no_memory();
}

static const struct ms_table_seen *same_in(const struct ms_table_look *before, size_t *at,
					   const struct ms_table_seen *table)
{
	while (*at < before->count && before->items[*at].place < table->place)
		(*at)++;
	if (*at == before->count || before->items[*at].place != table->place ||
	    before->items[*at].address != table->address ||
	    before->items[*at].depth != table->depth)
		return NULL;
	return &before->items[*at];
}

static struct ms_error *not_one(void)
{
	return ms_error_new(MS_ERR_BAD_DATA, "a directory of tables is being changed");
}

struct ms_error *ms_table_look_begin(struct ms_table_look *look, const struct ms_table_look *before,
				     const struct ms_go_layout *l, const uint8_t *directory,
				     uint64_t entries, struct ms_fetch *fetch, uint32_t *ret_want)
{
	unsigned depth = (unsigned)__builtin_ctzll(entries);
	size_t at = 0;
	uint32_t want;

	look->count = 0;
	*ret_want = (uint32_t)fetch->count;
	for (uint64_t i = 0, run; i < entries; i += run) {
		ms_addr address = ms_load_u64(directory + i * ENTRY_BYTES);
		struct ms_table_seen table = { .address = address, .place = i * share_of(depth) };
		const struct ms_table_seen *same;
		struct ms_error *err = NULL;

		for (run = 1; i + run < entries; run++) {
			if (ms_load_u64(directory + (i + run) * ENTRY_BYTES) != address)
				break;
		}
		if (!ms_is_power_of_two(run) || i % run)
			return not_one();
		table.depth = (uint8_t)(depth - (unsigned)__builtin_ctzll(run));
		same = same_in(before, &at, &table);
		if (same)
			table.slots = same->slots;
		else
			err = ms_fetch_add(fetch, address, l->table_size, &want);
		if (err)
			return err;
		if (!ms_vec_push(look, table))
			return ms_error_no_memory();
	}
	return NULL;
}

struct ms_error *ms_table_look_end(struct ms_table_look *look, const struct ms_go_layout *l,
				   const struct ms_fetch *fetch, uint32_t want)
{
	for (size_t i = 0; i < look->count; i++) {
		struct ms_table_seen *table = &look->items[i];
		struct ms_swiss_table t;
		const uint8_t *raw;

		if (table->slots)
			continue;
		raw = ms_fetch_bytes(fetch, want++);
		if (!raw || !ms_swiss_table_parse(l, raw, &t) || t.local_depth != table->depth)
			return not_one();
		table->slots = (uint16_t)t.capacity;
	}
	return NULL;
}

uint64_t ms_table_look_slots(const struct ms_table_look *look)
{
	uint64_t slots = 0;

	for (size_t i = 0; i < look->count; i++)
		slots += look->items[i].slots;
	return slots;
}

/** What stands in the place of one table: @p count tables from @p first on. */
struct successor {
	const struct ms_table_seen *table;
	const struct ms_table_seen *first;
	size_t count;
};

static unsigned doublings(uint64_t from, uint64_t to)
{
	return (unsigned)(__builtin_ctzll(to) - __builtin_ctzll(from));
}

/** How often it doubled and was split; false when that cannot be. */
static bool successor_count(const struct successor *s, size_t *ret_doubled, size_t *ret_split)
{
	const struct ms_table_seen *t = s->table;
	uint64_t slots = s->count > 1 ? MS_SWISS_TABLE_CAPACITY_MAX : s->first->slots;

	if (slots < t->slots)
		return false;
	for (size_t i = 0; s->count > 1 && i < s->count; i++) {
		if (s->first[i].slots != MS_SWISS_TABLE_CAPACITY_MAX)
			return false;
	}
	*ret_doubled = doublings(t->slots, slots);
	*ret_split = s->count - 1;
	return true;
}

/** The tables of @p now in the place of @p table, from *at on. */
static bool successor_find(const struct ms_table_seen *table, const struct ms_table_look *now,
			   size_t *at, struct successor *ret_successor)
{
	uint64_t end = table->place + share_of(table->depth), reached = table->place;
	size_t from = *at;

	while (*at < now->count && now->items[*at].place == reached && reached < end)
		reached += share_of(now->items[(*at)++].depth);
	*ret_successor = (struct successor){ table, &now->items[from], *at - from };
	return reached == end && *at > from;
}

struct ms_error *ms_table_look_compare(const struct ms_table_look *before,
				       const struct ms_table_look *now, ms_table_change_fn fn,
				       void *context)
{
	size_t total = 0, index = 0;

	for (size_t pass = 0; pass < 2; pass++) { // Counted, then told.
		for (size_t i = 0, at = 0; i < before->count; i++) {
			size_t doubled, split;
			struct successor s;

			if (!successor_find(&before->items[i], now, &at, &s) ||
			    !successor_count(&s, &doubled, &split))
				return not_one();
			if (!pass) {
				total += doubled + split;
				continue;
			}
			for (size_t n = 0; n < doubled + split; n++) {
				uint64_t from = n < doubled ? (uint64_t)s.table->slots << n
							    : MS_SWISS_TABLE_CAPACITY_MAX;
				const struct ms_table_change change = { from, from * 2,
									n >= doubled };
				struct ms_error *err = fn(context, &change, index++, total);

				if (err)
					return err;
			}
		}
		if (!total)
			return NULL;
	}
	return NULL;
}
