// cluster_sums.c - the most frequent stack, go statement and place of each cluster, and who waits
// for longest.
//
// "Most frequent" is a count of pairs: cluster and stack, cluster and go statement, cluster and
// place.  Where two are equal, the text decides, so that the order of rows does not.
#include "goroutines/cluster_sums.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/number_map.h"
#include "base/vec.h"

#include <math.h>
#include <stdlib.h>

static const double STUCK_S = 5 * 60;

/** How often a cluster has a value. */
struct pair {
	uint32_t cluster, value;
	uint64_t count;
};

struct tally {
	struct ms_number_map index_of;
	struct pair *items;
	size_t count, capacity;
};

static bool tally_add(struct tally *t, uint32_t cluster, uint32_t value)
{
	uint64_t key = ((uint64_t)cluster << 32 | value) + 1;
	const uint32_t *known = ms_number_map_find(&t->index_of, key);

	if (known) {
		t->items[*known].count++;
		return true;
	}
	return ms_vec_push(t, { cluster, value, 1 }) &&
	       ms_number_map_add(&t->index_of, key, (uint32_t)t->count - 1);
}

static void tally_deinit(struct tally *t)
{
	ms_number_map_deinit(&t->index_of);
	ms_vec_free(t);
}

struct sums {
	struct ms_goroutines_report *report;
	struct tally stacks, sites, places;
	struct ms_number_map site_of; // Address of a go statement, or a hash of its text.
	struct {
		const struct ms_stack_call **items;
		size_t count, capacity;
	} site_calls;
};

// --- Which of two comes first. ---

static int compare_texts(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_calls(const struct ms_stack_call *a, const struct ms_stack_call *b)
{
	int order = compare_texts(a->function, b->function);

	if (!order)
		order = compare_texts(a->file, b->file);
	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int compare_stacks(const struct ms_stack *a, const struct ms_stack *b)
{
	int order = 0;

	for (uint32_t i = 0; !order && i < a->count && i < b->count; i++)
		order = compare_calls(&a->calls[i], &b->calls[i]);
	return order ? order : (a->count > b->count) - (a->count < b->count);
}

// --- Adding up. ---

static struct ms_error *site_find(struct sums *s, const struct ms_stack_call *call,
				  uint32_t *ret_site)
{
	uint64_t key =
	    call->pc ? call->pc : ms_hash_text(call->function, strlen(call->function)) + call->line;
	const uint32_t *known;

	key = key ? key : 1;
	while ((known = ms_number_map_find(&s->site_of, key))) {
		if (!compare_calls(s->site_calls.items[*known], call)) {
			*ret_site = *known;
			return NULL;
		}
		key = key + 1 ? key + 1 : 1;
	}
	if (!ms_vec_push(&s->site_calls, call) ||
	    !ms_number_map_add(&s->site_of, key, (uint32_t)s->site_calls.count - 1))
		return ms_error_no_memory();
	*ret_site = (uint32_t)s->site_calls.count - 1;
	return NULL;
}

/** Of two goroutines, whether @p a waits longer, or is the older. */
static bool is_before(const struct ms_goroutine_row *a, const struct ms_goroutine_row *b)
{
	bool a_known = isfinite(a->waited_s), b_known = isfinite(b->waited_s);

	if (a_known != b_known)
		return a_known;
	if (a_known && (a->waited_s > b->waited_s || a->waited_s < b->waited_s))
		return a->waited_s > b->waited_s;
	return a->id < b->id;
}

/** @p examples are rows, best first. */
static void example_add(const struct ms_goroutines_report *r, uint32_t *examples,
			struct ms_goroutine_cluster *cluster, uint32_t row)
{
	uint32_t at = cluster->example_count;

	if (at == MS_CLUSTER_EXAMPLES_MAX && !is_before(&r->rows[row], &r->rows[examples[at - 1]]))
		return;
	if (at == MS_CLUSTER_EXAMPLES_MAX)
		at--;
	else
		cluster->example_count++;
	for (; at && is_before(&r->rows[row], &r->rows[examples[at - 1]]); at--)
		examples[at] = examples[at - 1];
	examples[at] = row;
}

static struct ms_error *row_add(struct sums *s, uint32_t index,
				struct ms_goroutine_cluster *cluster, uint32_t *examples)
{
	const struct ms_goroutine_row *row = &s->report->rows[index];
	struct ms_error *err;
	uint32_t site = 0;

	if (!cluster->count++) {
		cluster->state = row->state;
		cluster->wait_reason = row->wait_reason;
		cluster->is_system = row->is_system;
		cluster->oldest_s = NAN;
	}
	cluster->oldest_s = fmax(cluster->oldest_s, row->waited_s);
	example_add(s->report, examples, cluster, index);
	if ((row->stack != MS_NO_STACK && !tally_add(&s->stacks, row->cluster, row->stack)) ||
	    (row->place != MS_NO_PLACE && !tally_add(&s->places, row->cluster, row->place)))
		return ms_error_no_memory();
	if (!row->created_by.function)
		return NULL;
	err = site_find(s, &row->created_by, &site);
	if (!err && !tally_add(&s->sites, row->cluster, site))
		err = ms_error_no_memory();
	return err;
}

static struct ms_error *rows_add(struct sums *s, uint32_t count)
{
	struct ms_goroutines_report *r = s->report;
	MS_AUTO_FREE uint32_t *examples =
	    calloc((size_t)count * MS_CLUSTER_EXAMPLES_MAX + 1, sizeof(*examples));
	struct ms_error *err = examples ? NULL : ms_error_no_memory();

	for (size_t i = 0; i < r->row_count && !err; i++) {
		uint32_t cluster = r->rows[i].cluster;

		err = row_add(s, (uint32_t)i, &r->clusters[cluster],
			      examples + (size_t)cluster * MS_CLUSTER_EXAMPLES_MAX);
	}
	for (uint32_t c = 0; c < count && !err; c++) {
		for (uint32_t i = 0; i < r->clusters[c].example_count; i++)
			r->clusters[c].examples[i] =
			    r->rows[examples[(size_t)c * MS_CLUSTER_EXAMPLES_MAX + i]].id;
	}
	return err;
}

// --- The most frequent. ---

static void choose_stacks(struct sums *s)
{
	const struct ms_stack *all = s->report->stacks.items;

	for (size_t i = 0; i < s->stacks.count; i++) {
		const struct pair *pair = &s->stacks.items[i];
		struct ms_goroutine_cluster *c = &s->report->clusters[pair->cluster];
		uint64_t most = c->stack == MS_NO_STACK ? 0 : c->stack_count;

		if (pair->count > most || (pair->count == most &&
					   compare_stacks(&all[pair->value], &all[c->stack]) < 0)) {
			c->stack = pair->value;
			c->stack_count = pair->count;
		}
	}
	for (size_t i = 0; i < s->report->cluster_count; i++)
		s->report->clusters[i].stack_count = 0;
	for (size_t i = 0; i < s->stacks.count; i++)
		s->report->clusters[s->stacks.items[i].cluster].stack_count++;
}

static void choose_sites(struct sums *s)
{
	for (size_t i = 0; i < s->sites.count; i++) {
		const struct pair *pair = &s->sites.items[i];
		struct ms_goroutine_cluster *c = &s->report->clusters[pair->cluster];
		const struct ms_stack_call *call = s->site_calls.items[pair->value];

		if (pair->count > c->created_by_count ||
		    (pair->count == c->created_by_count &&
		     compare_calls(call, &c->created_by) < 0)) {
			c->created_by = *call;
			c->created_by_count = pair->count;
		}
	}
}

static void choose_places(struct sums *s)
{
	for (size_t i = 0; i < s->places.count; i++) {
		const struct pair *pair = &s->places.items[i];
		struct ms_goroutine_cluster *c = &s->report->clusters[pair->cluster];

		c->places++;
		if (pair->count > c->place_count ||
		    (pair->count == c->place_count && pair->value < c->place)) {
			c->place = pair->value;
			c->place_count = pair->count;
		}
	}
}

// --- Marks and order. ---

static void mark(const struct ms_goroutines_report *r, struct ms_goroutine_cluster *c)
{
	c->is_stuck = !c->is_system && c->oldest_s > STUCK_S;
	for (size_t i = 0; i < r->suspect_count && c->created_by_count; i++) {
		const struct ms_leak_suspect *suspect = &r->suspects[i];

		c->is_suspect |= !compare_calls(&suspect->created_by, &c->created_by) &&
				 !compare_texts(suspect->wait_reason, c->wait_reason);
	}
}

/** The program's own before the runtime's, the largest first. */
static int compare_clusters(const void *a, const void *b, void *context)
{
	const struct ms_goroutines_report *r = context;
	const struct ms_goroutine_cluster *x = &r->clusters[*(const uint32_t *)a];
	const struct ms_goroutine_cluster *y = &r->clusters[*(const uint32_t *)b];
	int order = (int)x->is_system - (int)y->is_system;

	if (!order && x->count != y->count)
		order = x->count > y->count ? -1 : 1;
	if (!order)
		order = compare_texts(x->state, y->state);
	if (!order)
		order = compare_texts(x->wait_reason, y->wait_reason);
	if (!order)
		order = (x->stack == MS_NO_STACK) - (y->stack == MS_NO_STACK);
	if (!order && x->stack != MS_NO_STACK)
		order = compare_stacks(&r->stacks.items[x->stack], &r->stacks.items[y->stack]);
	return order ? order : compare_calls(&x->created_by, &y->created_by);
}

static struct ms_error *put_in_order(struct ms_goroutines_report *r)
{
	size_t count = r->cluster_count;
	MS_AUTO_FREE uint32_t *order = calloc(count + 1, sizeof(*order));
	MS_AUTO_FREE uint32_t *place = calloc(count + 1, sizeof(*place));
	struct ms_goroutine_cluster *sorted = calloc(count + 1, sizeof(*sorted));

	if (!order || !place || !sorted) {
		free(sorted);
		return ms_error_no_memory();
	}
	for (size_t i = 0; i < count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, count, sizeof(*order), compare_clusters, r);
	for (size_t i = 0; i < count; i++) {
		sorted[i] = r->clusters[order[i]];
		place[order[i]] = (uint32_t)i;
	}
	for (size_t i = 0; i < r->row_count; i++)
		r->rows[i].cluster = place[r->rows[i].cluster];
	free(r->clusters);
	r->clusters = sorted;
	r->cluster_capacity = count + 1;
	return NULL;
}

struct ms_error *ms_clusters_sum(struct ms_goroutines_report *report, uint32_t count)
{
	struct sums s = { .report = report };
	struct ms_error *err;

	report->clusters = calloc((size_t)count + 1, sizeof(*report->clusters));
	if (!report->clusters)
		return ms_error_no_memory();
	report->cluster_count = count;
	report->cluster_capacity = (size_t)count + 1;
	for (uint32_t i = 0; i < count; i++) {
		report->clusters[i].stack = MS_NO_STACK;
		report->clusters[i].place = MS_NO_PLACE;
	}
	err = rows_add(&s, count);
	if (!err) {
		choose_stacks(&s);
		choose_sites(&s);
		choose_places(&s);
		for (uint32_t i = 0; i < count; i++)
			mark(report, &report->clusters[i]);
		err = put_in_order(report);
	}
	tally_deinit(&s.stacks);
	tally_deinit(&s.sites);
	tally_deinit(&s.places);
	ms_number_map_deinit(&s.site_of);
	ms_vec_free(&s.site_calls);
	return err;
}
