// hmap_advice.c - advice in libhmap's own calls.  What a call saves is said where it is known: a
// map that is halved until it fits gives back what its table holds beyond that.
#include "diagnose/hmap_advice.h"

#include <inttypes.h>
#include <math.h>

static struct ms_error *text_set(struct ms_advice *a, const char *text, const char *risk)
{
	a->text = text;
	a->risk = risk;
	return text ? NULL : ms_error_no_memory();
}

static struct ms_error *advise_many(struct ms_diagnosis_report *r, const struct ms_finding *f,
				    struct ms_advice *a)
{
	double each = f->maps_after ? (double)f->map.entries / (double)f->maps_after : 0;
	double bytes = f->maps_after ? (double)f->map.total_bytes / (double)f->maps_after : 0;

	return text_set(
	    a,
	    ms_arena_printf(&r->arena,
			    "end each with hmap_destroy when what it belongs to ends, or "
			    "keep them in one map with both keys: %" PRIu64
			    " maps of %.1f entries take %.0f bytes each",
			    f->maps_after, each, bytes),
	    "whoever still holds one of them has to be told");
}

static struct ms_error *advise_slack(struct ms_diagnosis_report *r, const struct ms_finding *f,
				     struct ms_advice *a)
{
	(void)r;
	a->saves_bytes = f->map.slack_bytes;
	if (f->map.kind == MS_MAP_HMAP_CLASSIC)
		return text_set(a,
				"hmap_clone it and end the old one: the classic engine never "
				"shrinks, as Go's does not",
				"both are held for that moment");
	return text_set(a,
			"call hmap_shrink when it has emptied, or set .shrink = "
			"HMAP_SHRINKTRIGGER_LOAD in its options",
			"a map that fills again grows again, a block a write");
}

static struct ms_error *advise_bound(struct ms_diagnosis_report *r, const struct ms_finding *f,
				     struct ms_advice *a)
{
	(void)r;
	return text_set(
	    a,
	    f->verdict == MS_VERDICT_SUSPECT
		? "nothing was seen to be erased: give its entries an end (hmap_erase "
		  "what is old), or a bound that is looked at before hmap_put"
		: "if its size is known, say it: .hint in its options, or hmap_reserve; "
		  "if it has no end, bound it",
	    "what was erased is not found any more");
}

static struct ms_error *advise(struct ms_diagnosis_report *r, struct ms_finding *f)
{
	struct ms_advice *a = &f->advice;

	*a = (struct ms_advice){ .line = MS_UNKNOWN, .saves_bytes = MS_UNKNOWN };
	if (f->kind == MS_FINDING_OWNER)
		return advise_many(r, f, a);
	switch (f->verdict) {
	case MS_VERDICT_GROWING:
	case MS_VERDICT_SUSPECT:
		return advise_bound(r, f, a);
	case MS_VERDICT_SLACK:
		return advise_slack(r, f, a);
	case MS_VERDICT_SAWTOOTH:
		return text_set(a,
				"keep its table: hmap_clear, without an hmap_destroy and "
				"hmap_create around it",
				"the table stays as large as it was at its fullest");
	case MS_VERDICT_RACE:
	case MS_VERDICT_CHURN:
	case MS_VERDICT_STABLE:
		break;
	}
	return NULL;
}

struct ms_error *ms_hmap_finding_complete(struct ms_diagnosis_report *report, struct ms_finding *f)
{
	f->next = (struct ms_next_growth){ .kind = MS_GROWTH_DOUBLE,
					   .at_entries = f->map.grow_at,
					   .old_bytes = MS_UNKNOWN,
					   .new_bytes = MS_UNKNOWN };
	f->retained = (struct ms_retained){ .bytes = MS_UNKNOWN,
					    .objects = MS_UNKNOWN,
					    .gc_share = NAN,
					    .reached_maps = MS_UNKNOWN,
					    .unknown = "its keys and values are C's" };
	return advise(report, f);
}
