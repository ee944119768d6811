// looks.c - looks at one map until one of them held still, whoever's map it is.
#include "inspect/inspection.h"

#include <stdlib.h>
#include <time.h>

enum {
	LOOKS = 12,
	PAUSE_NS = 2000000, // Before the second look; each next one is twice as long, to a bound.
	PAUSE_DOUBLINGS = 6,
};

bool ms_inspect_stopped(struct ms_inspection *i)
{
	if (!i->is_cut && i->options->stop && i->options->stop(i->options->stop_context))
		i->is_cut = true;
	return i->is_cut;
}

void ms_inspect_unread(struct ms_inspection *i, const char *why)
{
	if (!i->report->unread_why)
		i->report->unread_why = why;
}

void ms_inspect_word(struct ms_inspection *i, const char *name, uint64_t value, const char *meaning,
		     bool is_hex)
{
	struct ms_inspect_report *r = i->report;

	if (r->word_count < MS_ARRAY_SIZE(r->words))
		r->words[r->word_count++] = (struct ms_header_word){ name, value, meaning, is_hex };
}

struct ms_error *ms_inspect_array_init(struct ms_inspect_array *a, ms_addr address, uint64_t units)
{
	*a = (struct ms_inspect_array){ .address = address, .units = units };
	a->fills = calloc(units + 1, sizeof(*a->fills));
	a->chains = calloc(units + 1, sizeof(*a->chains));
	a->bits = calloc(units + 1, sizeof(*a->bits));
	return a->fills && a->chains && a->bits ? NULL : ms_error_no_memory();
}

void ms_inspect_count_fills(struct ms_inspect_report *r)
{
	uint64_t most = ms_inspect_fills(r) - 1;

	for (uint64_t u = 0; u < r->now.units; u++)
		r->fills[ms_min_u64(r->now.fills[u], most)]++;
}

void ms_inspect_count_chains(struct ms_inspect_report *r)
{
	for (uint64_t u = 0; u < r->now.units; u++) {
		uint16_t chain = r->now.chains[u];

		r->chains[ms_min_u64(chain, MS_INSPECT_CHAINS - 1)]++;
		r->longest = ms_max_u64(r->longest, chain);
	}
}

static bool anything_broken(const struct ms_inspection *i)
{
	for (size_t k = 0; k < MS_INV_COUNT_; k++) {
		if (i->invariants[k].broken)
			return true;
	}
	return false;
}

/** One look, from the header to the header; *ret_same: it was the same at the end. */
static struct ms_error *look(struct ms_inspection *i, bool *ret_same)
{
	uint8_t after[MS_INSPECT_HEADER_MAX];
	bool is_read;
	struct ms_error *err;

	ms_inspect_report_clear(i->report);
	memset(i->invariants, 0, sizeof(i->invariants));
	i->fingerprint = 1;
	i->report->looks++;
	*ret_same = true;
	err = i->source->header_read(i, i->raw, &is_read);
	if (err || !is_read) {
		ms_invariant_unknown(i, MS_INV_HEADER, "the header cannot be read");
		ms_inspect_unread(i, "its header cannot be read");
		return err;
	}
	for (uint32_t at = 0; at + 8 <= i->header_bytes; at += 8)
		ms_inspect_mix(i, ms_load_u64(i->raw + at));
	ms_invariant_ask(i, MS_INV_HEADER);
	err = i->source->look(i);
	if (!err)
		err = i->source->header_read(i, after, &is_read);
	*ret_same = is_read && !memcmp(after, i->raw, i->header_bytes);
	return err;
}

static void pause_before(unsigned looks)
{
	unsigned doublings = looks < PAUSE_DOUBLINGS ? looks : PAUSE_DOUBLINGS;
	const struct timespec t = { .tv_nsec = (long)PAUSE_NS << doublings };

	nanosleep(&t, NULL);
}

static struct ms_error *looks(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	unsigned most = i->options->looks ? i->options->looks : LOOKS;
	uint64_t before = 0;
	bool same = false;
	struct ms_error *err = NULL;

	for (unsigned n = 0; n < most && !err && !ms_inspect_stopped(i); n++) {
		if (n)
			pause_before(n - 1);
		if (i->source->renew && (n == 0 || i->spans_stale))
			err = i->source->renew(i);
		i->spans_stale = false;
		if (!err)
			err = look(i, &same);
		if (err || i->is_cut)
			break;
		r->settled = same && (!anything_broken(i) || (n && before == i->fingerprint));
		if (r->settled)
			return NULL;
		before = i->fingerprint;
	}
	r->settled = false;
	r->unsettled_why = i->is_cut ? "the look was cut short"
			   : same    ? "it changed from look to look"
				     : "it was written to during each look";
	return err;
}

static struct ms_error *strings_copy(struct ms_inspect_report *r)
{
	const char **strings[] = { &r->row.type, &r->row.key_type, &r->row.elem_type,
				   &r->row.owner };

	for (size_t k = 0; k < MS_ARRAY_SIZE(strings); k++) {
		if (!*strings[k])
			continue;
		*strings[k] = ms_arena_strndup(&r->arena, *strings[k], strlen(*strings[k]));
		if (!*strings[k])
			return ms_error_no_memory();
	}
	return NULL;
}

struct ms_error *ms_inspect_open(struct ms_inspection *i)
{
	struct ms_inspect_report *r = i->report;
	struct ms_error *err = strings_copy(r);

	if (!err && i->source->prepare)
		err = i->source->prepare(i);
	if (!err)
		err = looks(i);
	if (!err)
		err = ms_invariants_report(i);
	if (err)
		return err;
	i->source->layout(i);
	i->source->views(i);
	r->partial = i->is_cut;
	r->partial_reason = i->is_cut ? "the map was not looked at to its end" : NULL;
	r->keys.asked = i->options->keys;
	return i->options->keys ? i->source->keys(i) : NULL;
}
