// more_findings.c - the rules:
//
//	owner	at least 16 maps, which became more or hold more (owner_changes.c), and no single
//		map of which a finding says it already; or at least 1,000 maps that hold little:
//		three quarters and 4 MB of their tables are slack; or 10,000 maps that make a
//		quarter of the live heap, and a quarter of that is no entries
//	code	a line whose maps take more than 15 % of all that was allocated in the window, and
//		1 MB/s (they do not last, or a map that grows would have been named for it); or at
//		which maps that are gone by the end grew by 5 MB/s; or that was writing such maps in
//		15 % of the samples of what ran, some of it growing them or copying another into
//		them
//	race	a clue that a lock does not explain (goroutines/race_clues.c)
//
// A line that makes maps anew is weighed by a twentieth of what it allocates, since that is given
// back, beside maps that grow.
#include "diagnose/more_findings.h"

#include "base/vec.h"
#include "diagnose/findings.h"

#include <math.h>
#include <string.h>

enum {
	OWNER_MAPS_MIN = 16,
	OWNER_BYTES_MIN = 64 << 10, // Less than this in a window may be requests under way.
	SLACK_MAPS_MIN = 1000,
	MANY_MAPS_MIN = 10000,
	SMALLEST_SLOTS = 8, // No table is smaller: such maps hold no more than they have to.
	CHURN_SAMPLES_MIN = 10,
	CHURN_MAPS_MIN = 8,
	CHURN_CPU_SAMPLES_MIN = 20,
};

static const uint64_t SLACK_BYTES_MIN = 4 << 20;
static const uint64_t SITE_BYTES_MIN = 1 << 20; // A smaller table may not have been sampled.
static const double SLACK_SHARE_MIN = 0.75;
static const double MANY_SHARE_MIN = 0.25; // Of the live heap; and in them of what is no entry.
static const double CHURN_SHARE_MIN = 0.15;
static const double AVOIDABLE_SHARE_MIN = 0.1; // Of those samples: growing, or copying another map.
static const double CHURN_BYTES_PER_S_MIN = 1e6;
static const double CHURN_GROWN_PER_S_MIN = 5e6;
static const double SITE_FIT_MIN = 0.5, SITE_FIT_MAX = 2;

struct more {
	struct ms_finding *items;
	size_t count, capacity;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool ms_finding_has_map(const struct ms_finding *finding, const struct ms_map_row *row)
{
	switch (finding->kind) {
	case MS_FINDING_MAP:
		return finding->map.address == row->address;
	case MS_FINDING_OWNER:
		return finding->map.kind == row->kind &&
		       same_text(finding->map.owner, row->owner) &&
		       same_text(finding->map.type, row->type);
	case MS_FINDING_CODE:
		break;
	}
	return false;
}

static struct ms_finding finding_of(enum ms_finding_kind kind, enum ms_verdict verdict)
{
	return (struct ms_finding){ .kind = kind,
				    .verdict = verdict,
				    .maps_before = MS_UNKNOWN,
				    .maps_after = MS_UNKNOWN,
				    .clue = MS_NO_CLUE,
				    .leak = MS_NO_LEAK,
				    .growths_traced = MS_UNKNOWN,
				    .entries_before = MS_UNKNOWN,
				    .bytes_before = MS_UNKNOWN,
				    .entries_per_s = NAN,
				    .bytes_per_min = NAN,
				    .waiters = { .oldest_s = NAN, .stack = MS_NO_STACK },
				    .next = { .at_entries = MS_UNKNOWN,
					      .old_bytes = MS_UNKNOWN,
					      .new_bytes = MS_UNKNOWN } };
}

struct ms_finding ms_finding_of_map(const struct ms_map_row *row, enum ms_verdict verdict)
{
	struct ms_finding f = finding_of(MS_FINDING_MAP, verdict);

	f.map = *row;
	f.entries_before = f.entries_low = f.entries_high = row->entries;
	return f;
}

/** Whether what an owner's maps seem to do is done by garbage among them. */
static bool is_garbage_of_owner(const struct ms_finding *f)
{
	uint64_t reached = f->retained.reached_maps;

	if (f->kind != MS_FINDING_OWNER || reached == MS_UNKNOWN)
		return false;
	if (f->verdict == MS_VERDICT_SLACK)
		return reached * 2 < f->maps_after;
	return reached < f->maps_after && reached <= f->maps_before;
}

static bool is_garbage(const struct ms_finding *f)
{
	bool grows = f->verdict == MS_VERDICT_GROWING || f->verdict == MS_VERDICT_SUSPECT;

	return f->kind == MS_FINDING_MAP && f->retained.is_unreached &&
	       f->verdict != MS_VERDICT_RACE && !(grows && f->polls);
}

/** Whether the maps of an owner hold little of what they take. */
static bool is_slack(const struct ms_map_row *all, uint64_t maps)
{
	return maps >= SLACK_MAPS_MIN && all->slack_bytes >= SLACK_BYTES_MIN &&
	       (double)all->slack_bytes >= SLACK_SHARE_MIN * (double)all->total_bytes;
}

/** Whether they are so many that what each costs beside its entries matters to the heap. */
static bool is_many(const struct ms_map_row *all, uint64_t maps, uint64_t live_heap_bytes)
{
	uint64_t beside = all->total_bytes - ms_min_u64(all->live_bytes, all->total_bytes);

	return maps >= MANY_MAPS_MIN && live_heap_bytes != MS_UNKNOWN &&
	       beside >= SLACK_BYTES_MIN &&
	       (double)all->total_bytes >= MANY_SHARE_MIN * (double)live_heap_bytes &&
	       (double)beside >= MANY_SHARE_MIN * (double)all->total_bytes;
}

/** What all maps of an owner take, whether they become more or not. */
static bool cost_too_much(const struct ms_finding *f, const struct ms_memory *memory)
{
	return f->map.slack_bytes != MS_UNKNOWN &&
	       f->map.capacity > f->maps_after * SMALLEST_SLOTS &&
	       (is_slack(&f->map, f->maps_after) ||
		is_many(&f->map, f->maps_after, ms_memory_live_bytes(memory)));
}

struct ms_error *ms_garbage_drop(struct ms_diagnosis_report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_finding *f = &report->findings[i];

		if (is_garbage_of_owner(f) && f->verdict != MS_VERDICT_SLACK &&
		    cost_too_much(f, &report->memory))
			f->verdict = MS_VERDICT_SLACK; // They do not become more.
		if (!is_garbage(f) && !is_garbage_of_owner(f))
			report->findings[kept++] = *f;
	}
	report->finding_count = kept;
	return ms_findings_add(report, NULL, 0);
}

// --- Owners. ---

static const struct ms_owner_row *owner_row(const struct ms_census_report *census,
					    const char *owner, const char *type)
{
	for (size_t i = 0; i < census->owner_count; i++) {
		const struct ms_owner_row *row = &census->owners[i];

		if (same_text(row->owner, owner) && same_text(row->type, type))
			return row;
	}
	return NULL;
}

/** Whether a finding of a single map says it already: half of the owner's entries are in it. */
static bool is_said(const struct ms_diagnosis_report *r, const struct ms_owner_row *row)
{
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct ms_finding *f = &r->findings[i];

		if (f->verdict != MS_VERDICT_STABLE && same_text(f->map.owner, row->owner) &&
		    same_text(f->map.type, row->type) && f->map.entries != MS_UNKNOWN &&
		    f->map.entries * 2 >= row->entries)
			return true;
	}
	return false;
}

static struct ms_finding owner_finding(const struct ms_census_report *census,
				       const struct ms_owner_row *row, enum ms_verdict verdict)
{
	struct ms_finding f = finding_of(MS_FINDING_OWNER, verdict);
	const struct ms_map_row *first =
	    row->first_map < census->map_count ? &census->maps[row->first_map] : NULL;

	f.maps_after = row->maps;
	f.map = (struct ms_map_row){ .entries = row->entries,
				     .capacity = row->capacity,
				     .grow_at = MS_UNKNOWN,
				     .overflow_buckets = MS_UNKNOWN,
				     .deleted_slots = MS_UNKNOWN,
				     .live_bytes = row->live_bytes,
				     .total_bytes = row->total_bytes,
				     .slack_bytes = row->slack_bytes,
				     .type = row->type,
				     .owner = row->owner,
				     .kind = row->kind };
	if (first) {
		f.map.key_type = first->key_type;
		f.map.elem_type = first->elem_type;
		f.map.held_at = first->held_at;
	}
	f.entries_low = f.entries_high = row->entries;
	return f;
}

static bool owner_add(struct more *more, const struct ms_census_report *census,
		      const struct ms_diagnosis_report *r, const struct ms_owner_change *c)
{
	const struct ms_owner_row *row = owner_row(census, c->owner, c->type);
	struct ms_finding f;
	double bytes = ms_diff_change(c->before.total_bytes, c->after.total_bytes);

	if (!row || row->maps < OWNER_MAPS_MIN || bytes < OWNER_BYTES_MIN || is_said(r, row))
		return true;
	f = owner_finding(census, row, c->verdict);
	f.maps_before = c->before.maps;
	f.entries_before = c->before.entries;
	f.bytes_before = c->before.total_bytes;
	if (r->window_s > 0) {
		f.entries_per_s = ms_diff_change(c->before.entries, c->after.entries) / r->window_s;
		f.bytes_per_min = bytes / r->window_s * 60;
	}
	return ms_vec_push(more, f);
}

static bool has_owner(const struct more *more, const struct ms_owner_row *row)
{
	for (size_t i = 0; i < more->count; i++) {
		if (same_text(more->items[i].map.owner, row->owner) &&
		    same_text(more->items[i].map.type, row->type))
			return true;
	}
	return false;
}

static bool owners_add(struct more *more, const struct ms_census_report *census,
		       const struct ms_diagnosis_report *r)
{
	bool ok = true;

	for (size_t i = 0; i < r->owner_change_count && ok; i++)
		ok = owner_add(more, census, r, &r->owner_changes[i]);
	for (size_t i = 0; i < census->owner_count && ok; i++) {
		const struct ms_owner_row *row = &census->owners[i];
		struct ms_finding f;

		if (!row->owner || has_owner(more, row))
			continue;
		f = owner_finding(census, row, MS_VERDICT_SLACK);
		if (cost_too_much(&f, &r->memory))
			ok = ms_vec_push(more, f);
	}
	return ok;
}

// --- Lines of code. ---

/** A line with what each source says of it. */
struct candidate {
	const struct ms_stack *stack;
	double alloc_bytes, grown_bytes; // In the window.
	uint64_t grown_maps;             // Different ones ...
	double lasting_bytes;            // ... and what others of the line grew by.
	uint64_t cpu_samples;            // With maps that did not last, and copying into them ...
	uint64_t growing, copying;       // ... of these.
};

struct candidates {
	struct candidate *items;
	size_t count, capacity;
};

/** Lines of one function are one candidate: it may be sized, and filled, a line apart. */
static bool is_same_function(const struct ms_stack *a, const struct ms_stack *b)
{
	const struct ms_stack_call *x = ms_stack_program_line(a), *y = ms_stack_program_line(b);

	return x && y && same_text(x->function, y->function);
}

static bool is_same_line(const struct ms_stack *a, const struct ms_stack *b)
{
	return ms_stack_call_is_same_line(ms_stack_program_line(a), ms_stack_program_line(b));
}

/** The function of @p stack, added where it is new; NULL when memory is short. */
static struct candidate *candidate_of(struct candidates *c, const struct ms_stack *stack)
{
	for (size_t i = 0; i < c->count; i++) {
		if (is_same_function(c->items[i].stack, stack))
			return &c->items[i];
	}
	if (!ms_vec_push(c, { .stack = stack }))
		return NULL;
	return &c->items[c->count - 1];
}

static bool candidates_fill(struct candidates *c, const struct ms_census_report *census,
			    const struct ms_diagnosis_report *r)
{
	const struct ms_goroutines_report *g = &r->goroutines;
	struct candidate *at;

	for (size_t i = 0; i < r->allocations.site_count; i++) {
		const struct ms_alloc_site *site = &r->allocations.sites[i];

		if (!(site->window_bytes > 0) || site->samples < CHURN_SAMPLES_MIN)
			continue;
		at = candidate_of(c, &r->allocations.stacks.items[site->stack]);
		if (!at)
			return false;
		at->alloc_bytes += site->window_bytes;
	}
	for (size_t i = 0; r->is_traced && i < r->trace.sum_count; i++) {
		const struct ms_growth_sum *sum = &r->trace.sums[i];

		if (sum->stack >= r->trace.stacks.count || sum->to_bytes == MS_UNKNOWN)
			continue;
		at = candidate_of(c, &r->trace.stacks.items[sum->stack]);
		if (!at)
			return false;
		if (sum->map && ms_census_row_at(census, sum->map))
			at->lasting_bytes += (double)sum->to_bytes;
		else
			at->grown_bytes += (double)sum->to_bytes;
		at->grown_maps += !sum->map || !ms_census_row_at(census, sum->map);
	}
	for (size_t i = 0; r->has_goroutines && i < g->line_count; i++) {
		at = candidate_of(c, &g->stacks.items[g->lines[i].stack]);
		if (!at)
			return false;
		at->cpu_samples += g->lines[i].passing + g->lines[i].copying;
		at->growing += g->lines[i].growing;
		at->copying += g->lines[i].copying;
	}
	return true;
}

/** Whether a map that grows was grown there: then it is what the allocations are for. */
static bool grows_there(const struct ms_diagnosis_report *r, const struct ms_stack *stack)
{
	for (size_t i = 0; i < r->finding_count; i++) {
		const struct ms_finding *f = &r->findings[i];

		for (size_t k = 0; k < f->filler_count; k++) {
			if (is_same_line(&r->trace.stacks.items[f->fillers[k].stack], stack))
				return true;
		}
	}
	return false;
}

/** Without probes nothing says where a map grows, and a line may be that of any that does. */
static bool growth_has_lines(const struct ms_diagnosis_report *r)
{
	bool grows = false;

	for (size_t i = 0; i < r->finding_count; i++)
		grows = grows || r->findings[i].verdict == MS_VERDICT_GROWING ||
			r->findings[i].verdict == MS_VERDICT_SUSPECT;
	return !grows || (r->is_traced && r->trace.source == MS_TRACE_PROBES);
}

static struct ms_code_line line_of(const struct candidate *c, const struct ms_diagnosis_report *r)
{
	const struct ms_allocations *a = &r->allocations;
	struct ms_code_line line = { .stack = c->stack,
				     .alloc_bytes_per_s = NAN,
				     .alloc_share = NAN,
				     .grown_bytes_per_s = NAN,
				     .cpu_share = NAN };

	if (!a->unknown && a->window_s > 0 && a->window_bytes > 0) {
		line.alloc_bytes_per_s = c->alloc_bytes / a->window_s;
		line.alloc_share = c->alloc_bytes / a->window_bytes;
	}
	if (r->is_traced && r->trace.source == MS_TRACE_PROBES && r->trace.window_s > 0)
		line.grown_bytes_per_s = c->grown_bytes / r->trace.window_s;
	if (r->has_goroutines && r->goroutines.samples)
		line.cpu_share = (double)c->cpu_samples / (double)r->goroutines.samples;
	return line;
}

/** A map that is made with its size and no copy may be what a request needs. */
static bool is_avoidable(const struct candidate *c)
{
	return c->grown_maps >= CHURN_MAPS_MIN ||
	       (double)(c->growing + c->copying) >= AVOIDABLE_SHARE_MIN * (double)c->cpu_samples;
}

static bool is_churn(const struct candidate *c, const struct ms_code_line *line)
{
	return (line->alloc_share >= CHURN_SHARE_MIN &&
		line->alloc_bytes_per_s >= CHURN_BYTES_PER_S_MIN) ||
	       (line->grown_bytes_per_s >= CHURN_GROWN_PER_S_MIN &&
		c->grown_maps >= CHURN_MAPS_MIN && c->grown_bytes > 4 * c->lasting_bytes) ||
	       (line->cpu_share >= CHURN_SHARE_MIN && c->cpu_samples >= CHURN_CPU_SAMPLES_MIN &&
		is_avoidable(c));
}

static bool code_add(struct more *more, const struct ms_census_report *census,
		     const struct ms_diagnosis_report *r)
{
	struct candidates c = { 0 };
	bool ok = !growth_has_lines(r) || candidates_fill(&c, census, r);

	for (size_t i = 0; i < c.count && ok; i++) {
		struct ms_finding f = finding_of(MS_FINDING_CODE, MS_VERDICT_CHURN);
		const struct ms_stack_call *own = ms_stack_program_line(c.items[i].stack);

		f.line = line_of(&c.items[i], r);
		if (!own || own->is_runtime || !is_churn(&c.items[i], &f.line) ||
		    grows_there(r, c.items[i].stack))
			continue;
		f.map.total_bytes = f.map.slack_bytes = f.map.live_bytes = MS_UNKNOWN;
		ok = ms_vec_push(more, f);
	}
	ms_vec_free(&c);
	return ok;
}

// --- Two at once. ---

static bool race_add(struct more *more, const struct ms_census_report *census,
		     struct ms_diagnosis_report *r, size_t clue)
{
	ms_addr address = r->goroutines.clues[clue].map;
	const struct ms_map_row *row;
	struct ms_finding f;

	for (size_t i = 0; i < r->finding_count; i++) {
		struct ms_finding *known = &r->findings[i];

		if (known->map.address != address)
			continue;
		if (known->clue == MS_NO_CLUE)
			known->clue = (uint32_t)clue;
		known->verdict = MS_VERDICT_RACE;
		return true;
	}
	row = ms_census_row_at(census, address);
	if (!row)
		return true;
	f = ms_finding_of_map(row, MS_VERDICT_RACE);
	f.clue = (uint32_t)clue;
	for (size_t i = 0; i < more->count; i++) {
		if (more->items[i].map.address == address)
			return true;
	}
	return ms_vec_push(more, f);
}

static bool races_add(struct more *more, const struct ms_census_report *census,
		      struct ms_diagnosis_report *r)
{
	bool ok = true;

	for (size_t i = 0; r->has_goroutines && i < r->goroutines.clue_count && ok; i++) {
		if (r->goroutines.clues[i].strength == MS_CLUE_STRONG && r->goroutines.clues[i].map)
			ok = race_add(more, census, r, i);
	}
	return ok;
}

static struct ms_error *add_all(struct ms_diagnosis_report *report, struct more *more, bool ok)
{
	struct ms_error *err =
	    ok ? ms_findings_add(report, more->items, more->count) : ms_error_no_memory();

	ms_vec_free(more);
	return err;
}

struct ms_error *ms_more_findings_make(const struct ms_census_report *census,
				       struct ms_diagnosis_report *report)
{
	struct more more = { 0 };
	bool ok = races_add(&more, census, report) && owners_add(&more, census, report);

	return add_all(report, &more, ok);
}

struct ms_error *ms_code_findings_make(const struct ms_census_report *census,
				       struct ms_diagnosis_report *report)
{
	struct more more = { 0 };
	bool ok = code_add(&more, census, report);

	return add_all(report, &more, ok);
}

// --- Where tables were made. ---

/** How well what is in use of a site fits the tables of a finding: 1 is exactly, 0 not at all. */
static double fit(const struct ms_alloc_site *site, const struct ms_finding *f)
{
	double ratio = site->in_use_bytes / (double)f->map.total_bytes;

	if (!(ratio >= SITE_FIT_MIN && ratio <= SITE_FIT_MAX))
		return 0;
	return ratio > 1 ? 1 / ratio : ratio;
}

void ms_sites_join(struct ms_diagnosis_report *report)
{
	const struct ms_allocations *a = &report->allocations;

	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_finding *f = &report->findings[i];
		double best = 0;

		if (f->line.stack || f->filler_count || a->unknown ||
		    f->map.total_bytes == MS_UNKNOWN || f->map.total_bytes < SITE_BYTES_MIN)
			continue;
		for (size_t k = 0; k < a->site_count; k++) {
			double how_well = fit(&a->sites[k], f);
			const struct ms_stack *stack = &a->stacks.items[a->sites[k].stack];
			const struct ms_stack_call *line = ms_stack_program_line(stack);

			if (how_well > best && line && !line->is_runtime) {
				best = how_well;
				f->line.stack = stack;
			}
		}
	}
}

// --- Goroutines that leak. ---

static bool has_function(const struct ms_stack *stack, const char *name)
{
	for (uint32_t i = 0; i < stack->count; i++) {
		if (same_text(stack->calls[i].function, name))
			return true;
	}
	return false;
}

void ms_leaks_join(struct ms_diagnosis_report *report)
{
	static const char on_stack[] = "stack of ";
	const struct ms_goroutines_report *g = &report->goroutines;

	for (size_t i = 0; i < report->finding_count; i++) {
		struct ms_finding *f = &report->findings[i];

		if (!f->map.owner || strncmp(f->map.owner, on_stack, sizeof(on_stack) - 1) != 0)
			continue;
		for (size_t k = 0; k < g->suspect_count && f->leak == MS_NO_LEAK; k++) {
			if (g->suspects[k].stack < g->stacks.count &&
			    has_function(&g->stacks.items[g->suspects[k].stack],
					 f->map.owner + sizeof(on_stack) - 1))
				f->leak = (uint32_t)k;
		}
	}
}
