// inspect.c - words and sums that every form of an opened map shows alike.
//
// A chi-squared is read by how far it is from what chance makes: three deviations are hardly ever
// passed by chance, and a hash that keeps within them is as even as can be asked for.
#include "report/inspect.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double DEVIATIONS = 3;
enum {
	ENTRIES_MIN = 64,
	SLOTS = 8, // Of a bucket or group.
	FILLS_OF_EIGHT = 17,
};

struct ms_inspect_report ms_inspect_row_alone(const struct ms_map_row *row, const char *why)
{
	const struct ms_map_growth *g = &row->growth;
	struct ms_inspect_report r = { .row = *row, .settled = true, .unread_why = why };

	r.stage = !row->growing     ? MS_STAGE_NONE
		  : g->same_size    ? MS_STAGE_SAME_SIZE
		  : g->to < g->from ? MS_STAGE_HALVING
				    : MS_STAGE_DOUBLING;
	return r;
}

void ms_inspect_gdb_command(const struct ms_debug_view *v, char *ret_text, size_t size)
{
	if (v->command)
		snprintf(ret_text, size, "%s 0x%" PRIx64, v->command, v->address);
	else
		snprintf(ret_text, size, "x/%ux%c 0x%" PRIx64, v->count, v->size == 8 ? 'g' : 'b',
			 v->address);
}

void ms_inspect_dlv_command(const struct ms_debug_view *v, char *ret_text, size_t size)
{
	snprintf(ret_text, size, "examinemem -fmt hex -count %u -size %u 0x%" PRIx64, v->count,
		 v->size, v->address);
}

size_t ms_inspect_fills(const struct ms_inspect_report *r)
{
	return r->row.kind == MS_MAP_HMAP_STEADY ? MS_INSPECT_FILLS : FILLS_OF_EIGHT;
}

uint32_t ms_inspect_unit_slots(const struct ms_inspect_report *r)
{
	return r->unit_slots ? r->unit_slots : SLOTS;
}

bool ms_inspect_is_classic(const struct ms_inspect_report *r)
{
	return r->row.kind == MS_MAP_CLASSIC || r->row.kind == MS_MAP_HMAP_CLASSIC;
}

bool ms_inspect_has_chains(const struct ms_inspect_report *r)
{
	return ms_inspect_is_classic(r) || r->row.kind == MS_MAP_HMAP_STEADY;
}

double ms_inspect_mean_chain(const struct ms_inspect_report *r)
{
	uint64_t units = 0;
	double sum = 0;

	if (!r->is_read)
		return NAN;
	if (ms_inspect_has_chains(r)) {
		uint64_t first = ms_inspect_is_classic(r) ? r->now.units : 0;

		return r->now.overflow == MS_UNKNOWN || !r->now.units
			   ? NAN
			   : (double)(first + r->now.overflow) / (double)r->now.units;
	}
	for (size_t i = 0; i < MS_INSPECT_CHAINS; i++) {
		units += r->chains[i];
		sum += (double)i * (double)r->chains[i];
	}
	return units ? sum / (double)units : NAN;
}

size_t ms_inspect_count(const struct ms_inspect_report *r, enum ms_invariant_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < r->invariant_count; i++)
		count += r->invariants[i].state == state;
	return count;
}

double ms_evenness_z(const struct ms_evenness *e)
{
	return e->deviation > 0 ? (e->chi_squared - e->expected) / e->deviation : NAN;
}

enum ms_evenness_verdict ms_evenness_judge(const struct ms_evenness *e)
{
	double z = ms_evenness_z(e);

	if (e->cells < 2 || e->entries < ENTRIES_MIN || isnan(z))
		return MS_EVEN_UNKNOWN;
	if (z > DEVIATIONS)
		return MS_EVEN_LESS;
	return z < -DEVIATIONS ? MS_EVEN_MORE : MS_EVEN_CHANCE;
}

const char *ms_evenness_verdict_name(enum ms_evenness_verdict verdict)
{
	static const char *const names[] = { [MS_EVEN_UNKNOWN] = NULL,
					     [MS_EVEN_CHANCE] = "as chance",
					     [MS_EVEN_LESS] = "less even",
					     [MS_EVEN_MORE] = "more even" };

	return names[verdict];
}

const char *ms_growth_stage_name(enum ms_growth_stage stage)
{
	static const char *const names[] = { [MS_STAGE_NEVER_WRITTEN] = "never written",
					     [MS_STAGE_NONE] = "none",
					     [MS_STAGE_DOUBLING] = "doubling",
					     [MS_STAGE_SAME_SIZE] = "same size",
					     [MS_STAGE_HALVING] = "halving" };

	return names[stage];
}

const char *ms_invariant_state_name(enum ms_invariant_state state)
{
	static const char *const names[] = { [MS_INVARIANT_HOLDS] = "holds",
					     [MS_INVARIANT_BROKEN] = "broken",
					     [MS_INVARIANT_UNKNOWN] = "unknown" };

	return names[state];
}

const char *ms_inspect_unit_name(const struct ms_inspect_report *r)
{
	return r->row.kind == MS_MAP_SWISS         ? "group"
	       : r->row.kind == MS_MAP_HMAP_STEADY ? "block"
						   : "bucket";
}

static void array_free(struct ms_inspect_array *a)
{
	free(a->fills);
	free(a->chains);
	free(a->bits);
	*a = (struct ms_inspect_array){ 0 };
}

void ms_inspect_report_clear(struct ms_inspect_report *r)
{
	array_free(&r->now);
	array_free(&r->old);
	free(r->tables);
	r->tables = NULL;
	r->table_count = r->word_count = r->evenness_count = 0;
	r->stage = MS_STAGE_NONE;
	r->frontier = r->directory = r->deleted = r->displaced = r->longest = 0;
	r->pass = (struct ms_inspect_pass){ 0 };
	memset(r->fills, 0, sizeof(r->fills));
	memset(r->chains, 0, sizeof(r->chains));
	memset(r->tags, 0, sizeof(r->tags));
	r->is_read = false;
	r->unread_why = NULL;
}

void ms_inspect_report_deinit(struct ms_inspect_report *r)
{
	ms_inspect_report_clear(r);
	free(r->invariants);
	ms_arena_deinit(&r->arena);
	*r = (struct ms_inspect_report){ 0 };
}
