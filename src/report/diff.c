// diff.c - two lists of owners, joined.
//
// Both are brought into the order of owner, type and kind, and then walked side by side.  Addresses
// are compared only within one process: the same number in another means nothing.  A map that was
// replaced by another at the same address counts as neither come nor gone.
#include "report/diff.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

static int text_compare(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int owner_order(const struct ms_owner_row *x, const struct ms_owner_row *y)
{
	int order = text_compare(x->owner, y->owner);

	if (!order)
		order = text_compare(x->type, y->type);
	return order ? order : x->kind - y->kind;
}

static int by_owner(const void *a, const void *b)
{
	return owner_order(*(const struct ms_owner_row *const *)a,
			   *(const struct ms_owner_row *const *)b);
}

/** Pointers to the owners of @p census in the order of the join; NULL: no memory. */
static const struct ms_owner_row **sorted_owners(const struct ms_census_report *census)
{
	const struct ms_owner_row **sorted = malloc((census->owner_count + 1) * sizeof(*sorted));

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < census->owner_count; i++)
		sorted[i] = &census->owners[i];
	qsort(sorted, census->owner_count, sizeof(*sorted), by_owner);
	return sorted;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	if (a == MS_UNKNOWN || b == MS_UNKNOWN || a > MS_UNKNOWN - 1 - b)
		return MS_UNKNOWN;
	return a + b;
}

static void side_add(struct ms_diff_side *side, const struct ms_owner_row *row)
{
	side->maps = add(side->maps, row->maps);
	side->entries = add(side->entries, row->entries);
	side->total_bytes = add(side->total_bytes, row->total_bytes);
	side->slack_bytes = add(side->slack_bytes, row->slack_bytes);
}

/** An owner of whose maps none has a size that is known has none, and not nothing. */
static void row_add(struct ms_diff_side *side, const struct ms_owner_row *row)
{
	bool none_is_whole = row->maps && row->unknown_bytes_maps == row->maps;
	struct ms_owner_row known = *row;

	if (none_is_whole && !row->total_bytes)
		known.total_bytes = MS_UNKNOWN;
	if (none_is_whole && !row->slack_bytes)
		known.slack_bytes = MS_UNKNOWN;
	side_add(side, &known);
}

double ms_diff_change(uint64_t before, uint64_t after)
{
	if (before == MS_UNKNOWN || after == MS_UNKNOWN)
		return NAN;
	return after >= before ? (double)(after - before) : -(double)(before - after);
}

bool ms_diff_row_is_same(const struct ms_diff_row *row)
{
	return memcmp(&row->before, &row->after, sizeof(row->before)) == 0;
}

/** A size to order by; what is unknown comes last. */
static double weight(uint64_t before, uint64_t after)
{
	double change = ms_diff_change(before, after);

	return isnan(change) ? -1 : fabs(change);
}

static int by_change(const void *a, const void *b)
{
	const struct ms_diff_row *x = a, *y = b;
	double p = weight(x->before.total_bytes, x->after.total_bytes);
	double q = weight(y->before.total_bytes, y->after.total_bytes);
	int order;

	if (p == q) {
		p = weight(x->before.entries, x->after.entries);
		q = weight(y->before.entries, y->after.entries);
	}
	if (p != q)
		return p > q ? -1 : 1;
	order = text_compare(x->owner, y->owner);
	if (!order)
		order = text_compare(x->type, y->type);
	return order ? order : x->kind - y->kind;
}

struct row_vec {
	struct ms_diff_row *items;
	size_t count, capacity;
};

/** A copy in the report's arena, NULL for NULL; false: no memory. */
static bool keep(struct ms_arena *arena, const char *text, const char **ret_text)
{
	*ret_text = text ? ms_arena_strndup(arena, text, strlen(text)) : NULL;
	return !text || *ret_text;
}

/** Take in all owners that stand first in the order of the join and are equal. */
static bool join_row(const struct ms_owner_row **before, size_t *at_before, size_t before_count,
		     const struct ms_owner_row **after, size_t *at_after, size_t after_count,
		     struct ms_diff_row *row)
{
	const struct ms_owner_row *b = *at_before < before_count ? before[*at_before] : NULL;
	const struct ms_owner_row *a = *at_after < after_count ? after[*at_after] : NULL;
	const struct ms_owner_row *first = !a || (b && owner_order(b, a) <= 0) ? b : a;
	size_t seen_before = 0, seen_after = 0;

	if (!first)
		return false;
	*row =
	    (struct ms_diff_row){ .owner = first->owner, .type = first->type, .kind = first->kind };
	for (; *at_before < before_count && owner_order(before[*at_before], first) == 0;
	     seen_before++)
		row_add(&row->before, before[(*at_before)++]);
	for (; *at_after < after_count && owner_order(after[*at_after], first) == 0; seen_after++)
		row_add(&row->after, after[(*at_after)++]);
	row->presence = !seen_before ? MS_DIFF_NEW : !seen_after ? MS_DIFF_GONE : MS_DIFF_BOTH;
	return true;
}

static struct ms_error *join(const struct ms_census_report *before,
			     const struct ms_census_report *after, struct ms_diff_report *report)
{
	MS_AUTO_FREE const struct ms_owner_row **b = sorted_owners(before);
	MS_AUTO_FREE const struct ms_owner_row **a = sorted_owners(after);
	size_t at_b = 0, at_a = 0;
	struct row_vec rows = { 0 };
	struct ms_diff_row row;
	bool kept = b && a;

	while (kept && join_row(b, &at_b, before->owner_count, a, &at_a, after->owner_count, &row))
		kept = keep(&report->arena, row.owner, &row.owner) &&
		       keep(&report->arena, row.type, &row.type) && ms_vec_push(&rows, row);
	report->rows = rows.items;
	report->row_count = rows.count;
	if (!kept)
		return ms_error_no_memory();
	if (rows.count)
		qsort(rows.items, rows.count, sizeof(*rows.items), by_change);
	for (size_t i = 0; i < before->owner_count; i++)
		side_add(&report->total_before, &before->owners[i]);
	for (size_t i = 0; i < after->owner_count; i++)
		side_add(&report->total_after, &after->owners[i]);
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	ms_addr x = *(const ms_addr *)a, y = *(const ms_addr *)b;

	return x < y ? -1 : x > y;
}

static ms_addr *sorted_addresses(const struct ms_census_report *census)
{
	ms_addr *sorted = malloc((census->map_count + 1) * sizeof(*sorted));

	if (!sorted)
		return NULL;
	for (size_t i = 0; i < census->map_count; i++)
		sorted[i] = census->maps[i].address;
	qsort(sorted, census->map_count, sizeof(*sorted), by_address);
	return sorted;
}

/** Addresses in one of the two only. */
static struct ms_error *compare_addresses(const struct ms_census_report *before,
					  const struct ms_census_report *after,
					  struct ms_diff_report *report)
{
	MS_AUTO_FREE ms_addr *b = sorted_addresses(before);
	MS_AUTO_FREE ms_addr *a = sorted_addresses(after);
	size_t i = 0, j = 0;

	if (!b || !a)
		return ms_error_no_memory();
	report->appeared = report->vanished = 0;
	while (i < before->map_count || j < after->map_count) {
		bool from_b = j == after->map_count || (i < before->map_count && b[i] < a[j]);

		if (from_b) {
			report->vanished++;
			i++;
		} else if (i < before->map_count && b[i] == a[j]) {
			i++;
			j++;
		} else {
			report->appeared++;
			j++;
		}
	}
	return NULL;
}

/** Remember a reason why the two may not be comparable; false: no memory. */
static bool warn(struct ms_diff_report *report, const char *text)
{
	if (!text)
		return false;
	if (report->warning_count < MS_DIFF_WARNINGS_MAX)
		report->warnings[report->warning_count++] = text;
	return true;
}

static bool warn_side(struct ms_diff_report *report, const struct ms_diff_input *input)
{
	struct ms_arena *arena = &report->arena;

	if (input->filtered &&
	    !warn(report,
		  ms_arena_printf(arena, "%s holds only the owners of a filter", input->name)))
		return false;
	return !input->census->partial ||
	       warn(report,
		    ms_arena_printf(arena, "%s is partial: %s", input->name,
				    input->census->partial_reason ? input->census->partial_reason
								  : "cut short"));
}

static bool warn_difference(struct ms_diff_report *report, const char *what, const char *before,
			    const char *after)
{
	if (text_compare(before, after) == 0)
		return true;
	return warn(report,
		    ms_arena_printf(&report->arena, "the %s differs: %s, then %s", what,
				    before ? before : "unknown", after ? after : "unknown"));
}

static bool keep_target(struct ms_arena *arena, const struct ms_report_target *from,
			struct ms_report_target *ret_target)
{
	struct ms_report_target t = *from;
	bool kept = keep(arena, from->exe, &t.exe) &&
		    keep(arena, from->go_version, &t.go_version) &&
		    keep(arena, from->experiments, &t.experiments) &&
		    keep(arena, from->libhmap, &t.libhmap) && keep(arena, from->arch, &t.arch) &&
		    keep(arena, from->layout_source, &t.layout_source);

	*ret_target = t;
	return kept;
}

static bool is_same_process(const struct ms_report_target *a, const struct ms_report_target *b)
{
	return a->pid != MS_UNKNOWN && a->pid == b->pid && a->start_ticks != MS_UNKNOWN &&
	       a->start_ticks == b->start_ticks;
}

struct ms_error *ms_diff_make(const struct ms_diff_input *before, const struct ms_diff_input *after,
			      struct ms_diff_report *ret_report)
{
	const struct ms_report_target *b = &before->census->target, *a = &after->census->target;
	struct ms_diff_report r = { .appeared = MS_UNKNOWN, .vanished = MS_UNKNOWN };
	struct ms_error *err = NULL;

	if (!keep_target(&r.arena, b, &r.before) || !keep_target(&r.arena, a, &r.after) ||
	    !keep(&r.arena, before->name, &r.before_name) ||
	    !keep(&r.arena, after->name, &r.after_name) ||
	    !warn_difference(&r, "executable", b->exe, a->exe) ||
	    !warn_difference(&r, "Go release", b->go_version, a->go_version) ||
	    !warn_side(&r, before) || !warn_side(&r, after))
		err = ms_error_no_memory();
	r.same_process = is_same_process(b, a);
	if (!err)
		err = join(before->census, after->census, &r);
	if (!err && r.same_process && before->all_maps && after->all_maps)
		err = compare_addresses(before->census, after->census, &r);
	if (err) {
		ms_diff_report_deinit(&r);
		return err;
	}
	*ret_report = r;
	return NULL;
}

const char *ms_diff_presence_name(enum ms_diff_presence presence)
{
	switch (presence) {
	case MS_DIFF_NEW:
		return "new";
	case MS_DIFF_GONE:
		return "gone";
	case MS_DIFF_BOTH:
		break;
	}
	return "both";
}

void ms_diff_report_deinit(struct ms_diff_report *report)
{
	free(report->rows);
	ms_arena_deinit(&report->arena);
	*report = (struct ms_diff_report){ 0 };
}
