// text_inspect_table.c - a table drawn in a line of characters, and its histograms.
//
// Arrays are drawn in as many columns as fit; a column is the mean of its units.  While a map
// doubles, the new array is drawn as two halves below the old one: the entries of an old bucket go
// to the bucket below it in either half.
//
//	old    ......▇▇▇▇▇▇
//	new    ▅▅▅▅▅▅
//	+1,024 ▅▅▅▅▅▅
//	             ^ frontier
#include "render/text_inspect.h"

#include <inttypes.h>
#include <math.h>

enum {
	COLUMNS_MAX = 64,
	LABEL_COLUMNS = 12,
	BAR_COLUMNS = 32,
	LEVELS = 8,
	CLASSES = 8, // Of blocks by their entries, between none and more than there are slots.
	NAMES_COLUMNS = 10,
};

static const char *const blocks[LEVELS + 1] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const digits[LEVELS + 1] = { " ", "1", "2", "3", "4", "5", "6", "7", "8" };

static const char *level(const struct ms_text *t, double share)
{
	double at = share * LEVELS;
	int index = at <= 0 ? 0 : at < 1 ? 1 : at >= LEVELS ? LEVELS : (int)lround(at);

	return t->style->charset == MS_CHARSET_ASCII ? digits[index] : blocks[index];
}

/** Units [from, to) of an array as one character: a dot where none is, or all were moved. */
static void column(struct ms_text *t, const struct ms_inspect_report *r,
		   const struct ms_inspect_array *a, uint64_t from, uint64_t to)
{
	const char *dot = t->style->charset == MS_CHARSET_ASCII ? "." : "·";
	uint64_t slots = (to - from) * ms_inspect_unit_slots(r), entries = 0, emptied = 0;

	for (uint64_t u = from; u < to; u++) {
		entries += u < a->units ? a->fills[u] : 0;
		emptied += u >= a->units || a->bits[u] & MS_UNIT_MOVED;
	}
	if (emptied == to - from)
		ms_text_printf(t, "%s", dot);
	else
		ms_text_printf(t, "%s", level(t, (double)entries / (double)slots));
}

static uint64_t columns_of(const struct ms_text *t, uint64_t units)
{
	unsigned width = t->style->width ? t->style->width : COLUMNS_MAX + LABEL_COLUMNS + 4;
	uint64_t room = width > LABEL_COLUMNS + 12 ? width - LABEL_COLUMNS - 4 : 8;

	return ms_min_u64(units, ms_min_u64(room, COLUMNS_MAX));
}

static void row(struct ms_text *t, const struct ms_inspect_report *r, const char *label,
		const struct ms_inspect_array *a, uint64_t from, uint64_t units, uint64_t columns)
{
	ms_text_printf(t, "  %-*s|", LABEL_COLUMNS, label);
	for (uint64_t c = 0; c < columns; c++)
		column(t, r, a, from + c * units / columns, from + (c + 1) * units / columns);
	ms_text_printf(t, "|");
	ms_text_end_whole(t);
}

/** The mark stands below the column that holds the frontier; its name where there is room. */
static void frontier(struct ms_text *t, const struct ms_inspect_report *r, uint64_t columns)
{
	static const char name[] = "frontier";
	double share = (double)r->frontier / (double)(r->pass.of ? r->pass.of : r->old.units);
	int at = share >= 1 ? (int)columns - 1 : (int)(share * (double)columns);
	bool is_right = (uint64_t)at + sizeof(name) < columns;

	ms_text_printf(t, "  %*s", LABEL_COLUMNS + 1, "");
	if (is_right)
		ms_text_printf(t, "%*s %s", at + 1, "^", name);
	else
		ms_text_printf(t, "%*s ^", at - 1, at > (int)sizeof(name) ? name : "");
	ms_text_end_whole(t);
}

/** "new +1,024" */
static void upper_row(struct ms_text *t, const struct ms_inspect_report *r, const char *name,
		      uint64_t units, uint64_t columns)
{
	char label[LABEL_COLUMNS + 24];
	struct ms_human h;

	snprintf(label, sizeof(label), "%s+%s", name, ms_human_count(&h, units));
	row(t, r, label, &r->now, units, units, columns);
}

/** A pass in place: the block of an upper half stands below the one that it is split from. */
static void pass_rows(struct ms_text *t, const struct ms_inspect_report *r, uint64_t columns)
{
	uint64_t units = r->pass.of;

	if (r->stage == MS_STAGE_SAME_SIZE)
		ms_text_printf(t, "table: from the first block to the last, by how full; those "
				  "before the frontier were tidied up");
	else
		ms_text_printf(t,
			       "table: its lower half, and below each block the one that it %s; "
			       "blocks that are not there are dots",
			       r->stage == MS_STAGE_HALVING ? "takes in" : "is split into");
	ms_text_end(t, 0);
	row(t, r, "", &r->now, 0, units, columns);
	if (r->stage != MS_STAGE_SAME_SIZE)
		upper_row(t, r, "", units, columns);
	frontier(t, r, columns);
}

void ms_text_inspect_arrays(struct ms_text *t, const struct ms_inspect_report *r)
{
	uint64_t units = r->pass.of ? r->pass.of : r->old.units ? r->old.units : r->now.units;
	uint64_t columns = columns_of(t, units);

	if (!r->is_read || units < 2)
		return;
	if (r->pass.of) {
		pass_rows(t, r, columns);
		return;
	}
	if (!r->old.units) {
		ms_text_printf(t, "table: from the first %s to the last, by how full",
			       ms_inspect_unit_name(r));
		ms_text_end(t, 0);
		row(t, r, "", &r->now, 0, units, columns);
		return;
	}
	ms_text_printf(t, "old array and new, in the same columns; moved buckets are dots");
	ms_text_end(t, 0);
	row(t, r, "old", &r->old, 0, units, columns);
	row(t, r, "new", &r->now, 0, units, columns);
	if (r->now.units > units)
		upper_row(t, r, "new ", units, columns);
	frontier(t, r, columns);
}

void ms_text_inspect_bytes(struct ms_text *t, const struct ms_inspect_report *r)
{
	const struct ms_map_row *m = &r->row;
	double load = ms_map_row_load(m);
	struct ms_human a, b, c;

	ms_text_printf(t, "entries %s of %s slots", ms_human_count(&a, m->entries),
		       ms_human_count(&b, m->capacity));
	if (isfinite(load))
		ms_text_printf(t, ", load %.2f", load);
	ms_text_printf(t, "; %s, of which %s live and %s slack", ms_human_bytes(&a, m->total_bytes),
		       ms_human_bytes(&b, m->live_bytes), ms_human_bytes(&c, m->slack_bytes));
	ms_text_end(t, 0);
}

// --- Histograms. ---

static void bar(struct ms_text *t, uint64_t count, uint64_t most)
{
	const char *mark = t->style->charset == MS_CHARSET_ASCII ? "#" : "█";
	uint64_t columns = most ? (uint64_t)((double)count / (double)most * BAR_COLUMNS + 0.5) : 0;

	for (uint64_t c = 0; c < columns; c++)
		ms_text_printf(t, "%s", mark);
}

static void histogram(struct ms_text *t, const uint64_t *counts, size_t size, size_t from)
{
	uint64_t most = 0;
	size_t last = 0;
	struct ms_human h;

	for (size_t i = from; i < size; i++) {
		most = ms_max_u64(most, counts[i]);
		last = counts[i] ? i : last;
	}
	for (size_t i = from; i <= last; i++) {
		ms_text_printf(t, "  %6zu%s %12s  ", i, i + 1 == size ? "+" : " ",
			       ms_human_count(&h, counts[i]));
		bar(t, counts[i], most);
		ms_text_end_whole(t);
	}
}

/** Where a unit has many slots, its entries are told in classes of as many. */
static void fill_classes(struct ms_text *t, const struct ms_inspect_report *r)
{
	uint64_t slots = ms_inspect_unit_slots(r), counts[CLASSES + 2] = { 0 }, most = 0;
	struct ms_human h;

	for (size_t i = 0; i < ms_inspect_fills(r); i++)
		counts[i > slots ? CLASSES + 1 : (i * CLASSES + slots - 1) / slots] += r->fills[i];
	for (size_t c = 0; c < CLASSES + 2; c++)
		most = ms_max_u64(most, counts[c]);
	for (size_t c = 0; c < CLASSES + 2; c++) {
		uint64_t first = c ? (c - 1) * slots / CLASSES + 1 : 0;
		char label[48];

		if (!first)
			snprintf(label, sizeof(label), "0");
		else if (c > CLASSES)
			snprintf(label, sizeof(label), "%" PRIu64 "+", slots + 1);
		else
			snprintf(label, sizeof(label), "%" PRIu64 " to %" PRIu64, first,
				 c * slots / CLASSES);
		if (c > CLASSES && !counts[c])
			continue;
		ms_text_printf(t, "  %8s  %11s  ", label, ms_human_count(&h, counts[c]));
		bar(t, counts[c], most);
		ms_text_end_whole(t);
	}
}

static void chains(struct ms_text *t, const struct ms_inspect_report *r)
{
	bool classic = ms_inspect_is_classic(r), steady = r->row.kind == MS_MAP_HMAP_STEADY;
	double mean = ms_inspect_mean_chain(r);
	struct ms_human h;

	ms_text_printf(t, ms_inspect_has_chains(r) ? "chains: mean "
						   : "probes for an absent key: mean ");
	if (isfinite(mean))
		ms_text_printf(t, "%.3f", mean);
	else
		ms_text_printf(t, "?");
	ms_text_printf(t, " %ss, longest %s", steady ? "overflow node" : ms_inspect_unit_name(r),
		       ms_human_count(&h, r->longest));
	if (steady)
		ms_text_printf(t, "; %s entries outside of their hash's group (strays)",
			       ms_human_count(&h, r->displaced));
	else
		ms_text_printf(t, "; %s slots %s", ms_human_count(&h, r->deleted),
			       classic ? "emptied by deletes, with others behind them"
				       : "deleted (tombstones)");
	ms_text_end(t, 0);
	if (r->longest > (steady ? 0 : 1))
		histogram(t, r->chains, MS_INSPECT_CHAINS, steady ? 0 : 1);
}

static void even_line(struct ms_text *t, const struct ms_evenness *e)
{
	static const char *const words[] = {
		[MS_EVEN_UNKNOWN] = "too few to tell",
		[MS_EVEN_CHANCE] = "as even as chance",
		[MS_EVEN_LESS] = "LESS EVEN than chance: the hash does not spread these keys",
		[MS_EVEN_MORE] = "more even than chance",
	};

	ms_text_printf(t, "%s: %s", e->of, words[ms_evenness_judge(e)]);
	if (e->deviation > 0 && isfinite(e->chi_squared))
		ms_text_printf(t, " (chi-squared %.1f, expected %.1f, give or take %.1f)",
			       e->chi_squared, e->expected, e->deviation);
	ms_text_end(t, 2);
}

/** Tags in 32 columns, each as high as its share of what is usual. */
static void tags(struct ms_text *t, const struct ms_inspect_report *r)
{
	size_t all = r->row.kind == MS_MAP_SWISS ? 128 : MS_INSPECT_TAGS, each = all / 32;
	uint64_t sums[32] = { 0 }, most = 0;

	for (size_t i = 0; i < all; i++)
		sums[i / each] += r->tags[i];
	for (size_t c = 0; c < 32; c++)
		most = ms_max_u64(most, sums[c]);
	ms_text_printf(t, "  %-*s|", LABEL_COLUMNS, "tags");
	for (size_t c = 0; c < 32; c++)
		ms_text_printf(t, "%s", level(t, most ? (double)sums[c] / (double)most : 0));
	ms_text_printf(t, "|");
	ms_text_end_whole(t);
}

void ms_text_inspect_table(struct ms_text *t, const struct ms_inspect_report *r)
{
	if (!r->is_read)
		return;
	chains(t, r);
	ms_text_printf(t, "%ss by their entries:", ms_inspect_unit_name(r));
	ms_text_end(t, 0);
	if (r->row.kind == MS_MAP_HMAP_STEADY)
		fill_classes(t, r);
	else
		histogram(t, r->fills, ms_inspect_fills(r), 0);
	ms_text_printf(t, "evenness, with the seed of this map:");
	ms_text_end(t, 0);
	for (size_t i = 0; i < r->evenness_count; i++)
		even_line(t, &r->evenness[i]);
	tags(t, r);
}
