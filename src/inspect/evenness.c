// evenness.c - what the hash does to these keys, by how even they lie.
//
// A hash that is as good as chance makes, over k cells of equal share, a chi-squared of k - 1 on
// average, with a deviation of the root of 2 (k - 1).  That is so for classic buckets and for tags.
// Groups of a Swiss map are another matter: no more than eight entries fit, the rest move on to
// other groups, and so they are more even than chance.  What to expect of them is played out: as
// many keys, thrown at as many groups, going on from full ones as probes do.
#include "inspect/inspection.h"

#include <math.h>

enum {
	TAGS = 256,
	TAGS_SWISS = 128,
	THROWS_MAX = 4000000, // Keys thrown at tables, for all that is expected of groups.
	ROUNDS_MAX = 64,
	GROUPS_MAX = MS_SWISS_TABLE_CAPACITY_MAX / MS_SWISS_SLOTS,
};

static void add(struct ms_inspect_report *r, const struct ms_evenness *e)
{
	if (r->evenness_count < MS_EVENNESS_MAX)
		r->evenness[r->evenness_count++] = *e;
}

/** The usual expectation. */
static void expect_chance(struct ms_evenness *e)
{
	e->expected = (double)(e->cells ? e->cells - 1 : 0);
	e->deviation = sqrt(2 * e->expected);
}

static double square(double v)
{
	return v * v;
}

/** Units of the smaller size: while a map grows or shrinks, what belongs to one is in several. */
static uint64_t cells_of(const struct ms_inspect_report *r)
{
	return r->pass.of ? r->pass.of : r->old.units ? r->old.units : r->now.units;
}

/** Entries that belong to a unit of the smaller size, wherever they are. */
static uint64_t entries_of(const struct ms_inspect_report *r, uint64_t cell, uint64_t cells)
{
	uint64_t sum = r->old.units ? r->old.fills[cell] : 0;

	for (uint64_t u = cell; u < r->now.units; u += cells)
		sum += r->now.fills[u];
	return sum;
}

static void tags_even(struct ms_inspect_report *r, const uint64_t *shares, unsigned cells,
		      const char *of)
{
	struct ms_evenness e = { .of = of };
	uint64_t parts = 0;

	for (unsigned t = 0; t < cells; t++) {
		e.cells += shares[t] != 0;
		parts += shares[t];
		e.entries += shares[t] ? r->tags[t] : 0;
	}
	for (unsigned t = 0; t < cells && e.entries; t++) {
		double expected = (double)(e.entries * shares[t]) / (double)parts;

		if (shares[t])
			e.chi_squared += square((double)r->tags[t] - expected) / expected;
	}
	expect_chance(&e);
	add(r, &e);
}

void ms_inspect_evenness_units(struct ms_inspection *i, unsigned tag_min, unsigned tag_shift)
{
	struct ms_inspect_report *r = i->report;
	bool are_blocks = r->row.kind == MS_MAP_HMAP_STEADY;
	struct ms_evenness e = { .of = are_blocks ? "entries per block" : "entries per bucket",
				 .cells = cells_of(r),
				 .entries = r->now.entries + r->old.entries };
	uint64_t shares[TAGS] = { 0 };
	double expected = (double)e.entries / (double)e.cells;

	for (uint64_t c = 0; c < e.cells && e.entries; c++)
		e.chi_squared += square((double)entries_of(r, c, e.cells) - expected) / expected;
	expect_chance(&e);
	add(r, &e);
	for (unsigned t = 0; t < TAGS; t++)
		shares[t < tag_min ? t + tag_shift : t]++;
	tags_even(r, shares, TAGS, "tags");
}

// --- Groups. ---

static uint64_t next_random(uint64_t *state)
{
	uint64_t v = *state += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

/** The chi-squared of @p used keys thrown at @p groups. */
static double throw_keys(uint64_t groups, uint64_t used, uint64_t *state)
{
	uint8_t fills[GROUPS_MAX] = { 0 };
	double expected = (double)used / (double)groups, sum = 0;

	for (uint64_t n = 0; n < used; n++) {
		uint64_t at = next_random(state) & (groups - 1), looked = 1;

		while (fills[at] == MS_SWISS_SLOTS && looked <= groups)
			at = (at + looked++) & (groups - 1);
		fills[at]++;
	}
	for (uint64_t g = 0; g < groups && used; g++)
		sum += square(fills[g] - expected) / expected;
	return sum;
}

static void groups_even(struct ms_inspect_report *r)
{
	struct ms_evenness e = { .of = "entries per group", .entries = r->now.entries };
	uint64_t state = 1, first = 0, rounds = ROUNDS_MAX;
	double variance = 0;

	if (e.entries)
		rounds = ms_max_u64(1, ms_min_u64(ROUNDS_MAX, THROWS_MAX / e.entries));
	for (size_t n = 0; n < r->table_count; n++) {
		const struct ms_inspect_table *t = &r->tables[n];
		uint64_t groups = t->capacity / MS_SWISS_SLOTS;
		double expected = (double)t->used / (double)groups, sum = 0, squares = 0;

		for (uint64_t g = 0; g < groups && t->used; g++)
			e.chi_squared += square(r->now.fills[first + g] - expected) / expected;
		for (uint64_t round = 0; round < rounds; round++) {
			double thrown = throw_keys(groups, t->used, &state);

			sum += thrown;
			squares += thrown * thrown;
		}
		e.expected += sum / (double)rounds;
		if (rounds > 1)
			variance += (squares - sum * sum / (double)rounds) / (double)(rounds - 1);
		first += groups;
		e.cells += groups - 1;
	}
	if (rounds == 1)
		variance = 2 * e.expected;
	e.cells += r->table_count ? 1 : 0;
	e.deviation = sqrt(variance * (1 + 1 / (double)rounds));
	add(r, &e);
}

void ms_inspect_evenness_swiss(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	uint64_t shares[TAGS_SWISS];

	for (unsigned t = 0; t < TAGS_SWISS; t++)
		shares[t] = 1;
	if (r->table_count && r->now.units > 1)
		groups_even(r);
	tags_even(r, shares, TAGS_SWISS, "tags");
}
