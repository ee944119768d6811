// text_map_users.c - who works on which map: what stacks and samples say, by map and role.
//
// A page has room for few; goroutines with further maps are counted.
#include "render/text_goroutines.h"
#include "render/text_stack.h"

#include <inttypes.h>
#include <stdlib.h>

enum { GROUPS_MAX = 64, INDENT = 2, OWNER_COLUMNS = 60 };

/** Goroutines with one role on one map. */
struct group {
	const struct ms_goroutine_row *example; // The one with most samples.
	uint64_t count;
};

struct groups {
	struct group items[GROUPS_MAX];
	size_t count;
	uint64_t others; // Goroutines of groups that have no place here.
};

static void add(struct groups *g, const struct ms_goroutine_row *row)
{
	for (size_t i = 0; i < g->count; i++) {
		struct group *known = &g->items[i];

		if (known->example->map != row->map || known->example->role != row->role)
			continue;
		known->count++;
		if (row->samples > known->example->samples)
			known->example = row;
		return;
	}
	if (g->count == GROUPS_MAX)
		g->others++;
	else
		g->items[g->count++] = (struct group){ row, 1 };
}

static int by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->example->id < y->example->id ? -1 : x->example->id > y->example->id;
}

static const char *plural_of(enum ms_map_role role)
{
	static const char *const names[] = {
		[MS_ROLE_READS] = "read",
		[MS_ROLE_WRITES] = "write",
		[MS_ROLE_GROWS] = "grow",
		[MS_ROLE_ITERATES] = "iterate",
	};

	return names[role];
}

static void text_group(struct ms_text *t, const struct ms_goroutines_report *r,
		       const struct group *g)
{
	const struct ms_goroutine_row *row = g->example;
	const struct ms_stack_call *line =
	    row->role_stack < r->stacks.count
		? ms_stack_program_line(&r->stacks.items[row->role_stack])
		: NULL;
	struct ms_human h;

	if (row->map_owner)
		ms_text_owner(t, row->map_owner, OWNER_COLUMNS);
	else if (row->map)
		ms_text_printf(t, "the map at 0x%" PRIx64, row->map);
	else
		ms_text_printf(t, "a map that is not known");
	ms_text_printf(t, ": %s %s", ms_human_count(&h, g->count),
		       g->count == 1 ? ms_map_role_name((enum ms_map_role)row->role)
				     : plural_of((enum ms_map_role)row->role));
	ms_text_end(t, INDENT);
	if (line)
		ms_text_call(t, line);
	ms_text_printf(t, "%sgoroutine %" PRIu64, line ? ", " : "", row->id);
	if (row->role_share > 0)
		ms_text_printf(t, ", in %.0f %% of its %s samples", 100 * row->role_share,
			       ms_human_count(&h, row->samples));
	ms_text_end(t, INDENT + 2);
}

void ms_text_map_users(struct ms_text *t, const struct ms_goroutines_report *report, size_t top)
{
	struct groups g = { .count = 0 };

	for (size_t i = 0; i < report->row_count; i++) {
		uint8_t role = report->rows[i].role;

		if (role != MS_ROLE_NONE && role != MS_ROLE_WAITS) // Those are with their lock.
			add(&g, &report->rows[i]);
	}
	if (!g.count)
		return;
	qsort(g.items, g.count, sizeof(*g.items), by_count);
	ms_text_end_whole(t);
	ms_text_colored(t, MS_TEXT_BOLD, "who works on which map");
	ms_text_end(t, 0);
	for (size_t i = 0; i < g.count; i++) {
		if (i < top)
			text_group(t, report, &g.items[i]);
		else
			g.others += g.items[i].count;
	}
	if (g.others) {
		ms_text_printf(t, "and %" PRIu64 " goroutines more", g.others);
		ms_text_end(t, INDENT);
	}
}
