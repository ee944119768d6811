// owners.c - a census's rows summed by owner, type and kind.
//
// The groups are found with an open-addressed table of indices into the sums.  Types and owners
// come from a target: two rows belong together when the bytes of both strings are the same, not
// when the pointers are.
#include "base/cleanup.h"
#include "base/vec.h"
#include "report/census.h"

#include <stdlib.h>

struct owner_vec {
	struct ms_owner_row *items;
	size_t count, capacity;
};

struct owner_table {
	struct owner_vec sums;
	uint32_t *slots; // Index into sums plus 1, 0 for an empty slot.
	size_t slot_count;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_group(const struct ms_owner_row *sum, const struct ms_map_row *row)
{
	return sum->kind == row->kind && same_text(sum->owner, row->owner) &&
	       same_text(sum->type, row->type);
}

/** FNV-1a; NULL and "" differ. */
static uint64_t text_hash(uint64_t hash, const char *text)
{
	const uint64_t prime = 0x100000001b3;

	if (!text)
		return (hash ^ 0xff) * prime;
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * prime;
	return hash * prime;
}

static size_t slot_start(const struct owner_table *table, const char *owner, const char *type)
{
	uint64_t hash = text_hash(text_hash(0xcbf29ce484222325, owner), type);

	return (size_t)(hash ^ (hash >> 32)) & (table->slot_count - 1);
}

static bool table_grow(struct owner_table *table)
{
	size_t wanted = table->slot_count ? table->slot_count * 2 : 64;
	uint32_t *slots = calloc(wanted, sizeof(*slots));

	if (!slots)
		return false;
	free(table->slots);
	table->slots = slots;
	table->slot_count = wanted;
	for (size_t i = 0; i < table->sums.count; i++) {
		const struct ms_owner_row *sum = &table->sums.items[i];
		size_t at = slot_start(table, sum->owner, sum->type);

		while (slots[at])
			at = (at + 1) & (wanted - 1);
		slots[at] = (uint32_t)(i + 1);
	}
	return true;
}

/** The sum that @p row belongs to, new when it is the first of its group; NULL: no memory. */
static struct ms_owner_row *table_find(struct owner_table *table, const struct ms_map_row *row,
				       size_t index)
{
	struct ms_owner_row sum = {
		.owner = row->owner, .type = row->type, .kind = row->kind, .first_map = index
	};
	size_t at;

	if (table->sums.count * 2 >= table->slot_count && !table_grow(table))
		return NULL;
	at = slot_start(table, row->owner, row->type);
	while (table->slots[at]) {
		struct ms_owner_row *old = &table->sums.items[table->slots[at] - 1];

		if (same_group(old, row))
			return old;
		at = (at + 1) & (table->slot_count - 1);
	}
	if (!ms_vec_push(&table->sums, sum))
		return NULL;
	table->slots[at] = (uint32_t)table->sums.count;
	return &table->sums.items[table->sums.count - 1];
}

static int text_compare(const char *a, const char *b)
{
	if (!a || !b)
		return a ? -1 : b != NULL;
	return strcmp(a, b);
}

static int owner_compare(const void *a, const void *b)
{
	const struct ms_owner_row *x = a;
	const struct ms_owner_row *y = b;
	int by_owner;

	if (x->total_bytes != y->total_bytes)
		return x->total_bytes > y->total_bytes ? -1 : 1;
	by_owner = text_compare(x->owner, y->owner);
	if (!by_owner)
		by_owner = text_compare(x->type, y->type);
	return by_owner ? by_owner : x->kind - y->kind;
}

struct ms_error *ms_census_sum_owners(struct ms_census_report *report)
{
	struct owner_table table = { 0 };
	struct ms_owner_row *sum = NULL;
	bool short_of_memory = false;

	for (size_t i = 0; i < report->map_count && !short_of_memory; i++) {
		const struct ms_map_row *row = &report->maps[i];

		// Neighbours often are of one group.
		if (!sum || sum->owner != row->owner || sum->type != row->type ||
		    sum->kind != row->kind)
			sum = table_find(&table, row, i);
		if (sum)
			ms_owner_row_add(sum, row);
		else
			short_of_memory = true;
	}
	free(table.slots);
	if (short_of_memory) {
		ms_vec_free(&table.sums);
		return ms_error_no_memory();
	}
	if (table.sums.count)
		qsort(table.sums.items, table.sums.count, sizeof(*table.sums.items), owner_compare);
	free(report->owners);
	report->owners = table.sums.items;
	report->owner_count = table.sums.count;
	return NULL;
}
