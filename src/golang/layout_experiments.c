// layout_experiments.c - which GOEXPERIMENTs a build has in force, and which of them matter.
//
// A build names only what differs from its release's defaults.  So we start from the defaults and
// apply the names; one that is not listed here could have moved anything, and is refused.
//
// The list is kept by hand.  tools/layoutgen/make-layouts.sh --experiments builds every experiment
// of every release, writes what each moves to tests/golden/layouts/experiments.txt, and fails
// where this list says otherwise.
#include "golang/layout_internal.h"

enum { NEWEST = MS_GO(1, 28) }; // One past the newest release that was looked at.

struct experiment {
	const char *name;
	int since, until; // Releases that were looked at: since <= release < until.
	enum ms_go_effect effect;
	unsigned bit;      // For MS_GO_EFFECT_ROW.
	int on_since;      // On by default from this release; NEWEST when never.
	const char *moves; // For MS_GO_EFFECT_REFUSED: what it does when not as by default.
};

#define NEUTRAL(name, since, until)                                                                \
	{                                                                                          \
		name, since, until, MS_GO_EFFECT_NEUTRAL, 0, NEWEST, NULL                          \
	}
#define ROW(name, since, until, bit, on)                                                           \
	{                                                                                          \
		name, since, until, MS_GO_EFFECT_ROW, bit, on, NULL                                \
	}
#define REFUSED(name, since, until, on, moves)                                                     \
	{                                                                                          \
		name, since, until, MS_GO_EFFECT_REFUSED, 0, on, moves                             \
	}

static const struct experiment experiments[] = {
	ROW("swissmap", MS_GO(1, 24), MS_GO(1, 26), MS_GO_EXP_SWISS, MS_GO(1, 24)),
	ROW("greenteagc", MS_GO(1, 25), NEWEST, MS_GO_EXP_GREENTEA, MS_GO(1, 26)),
	ROW("mapsplitgroup", MS_GO(1, 27), NEWEST, MS_GO_EXP_SPLIT_GROUP, NEWEST),

	REFUSED("staticlockranking", MS_GO(1, 18), NEWEST, NEWEST,
		"moves fields of mspan and mheap"),
	REFUSED("allocheaders", MS_GO(1, 22), MS_GO(1, 23), MS_GO(1, 22),
		"changes where large objects keep their type"),

	NEUTRAL("aliastypeparams", MS_GO(1, 23), MS_GO(1, 26)),
	NEUTRAL("arenas", MS_GO(1, 20), NEWEST),
	NEUTRAL("boringcrypto", MS_GO(1, 19), NEWEST),
	NEUTRAL("cacheprog", MS_GO(1, 21), MS_GO(1, 26)),
	NEUTRAL("cgocheck2", MS_GO(1, 21), NEWEST),
	NEUTRAL("coverageredesign", MS_GO(1, 20), MS_GO(1, 25)),
	NEUTRAL("dwarf5", MS_GO(1, 25), NEWEST),
	NEUTRAL("exectracer2", MS_GO(1, 22), MS_GO(1, 23)),
	NEUTRAL("fieldtrack", MS_GO(1, 18), NEWEST),
	NEUTRAL("goroutineleakprofile", MS_GO(1, 26), MS_GO(1, 27)),
	NEUTRAL("heapminimum512kib", MS_GO(1, 18), NEWEST),
	NEUTRAL("jsonv2", MS_GO(1, 25), NEWEST),
	NEUTRAL("loopvar", MS_GO(1, 21), NEWEST),
	NEUTRAL("newinliner", MS_GO(1, 22), NEWEST),
	NEUTRAL("pacerredesign", MS_GO(1, 18), MS_GO(1, 19)),
	NEUTRAL("pagetrace", MS_GO(1, 20), MS_GO(1, 23)),
	NEUTRAL("preemptibleloops", MS_GO(1, 19), MS_GO(1, 21)), // 1.21 to 1.23 cannot build it.
	NEUTRAL("preemptibleloops", MS_GO(1, 24), NEWEST),
	NEUTRAL("randomizedheapbase64", MS_GO(1, 26), NEWEST),
	NEUTRAL("range", MS_GO(1, 22), MS_GO(1, 23)),
	NEUTRAL("rangefunc", MS_GO(1, 22), MS_GO(1, 26)),
	NEUTRAL("regabiargs", MS_GO(1, 18), NEWEST),
	NEUTRAL("regabireflect", MS_GO(1, 18), MS_GO(1, 19)),
	NEUTRAL("regabiwrappers", MS_GO(1, 18), NEWEST),
	NEUTRAL("runtimefreegc", MS_GO(1, 26), NEWEST),
	NEUTRAL("runtimesecret", MS_GO(1, 26), NEWEST),
	NEUTRAL("simd", MS_GO(1, 26), NEWEST),
	NEUTRAL("sizespecializedmalloc", MS_GO(1, 26), NEWEST),
	NEUTRAL("spinbitmutex", MS_GO(1, 24), MS_GO(1, 25)),
	NEUTRAL("synchashtriemap", MS_GO(1, 24), MS_GO(1, 26)),
	NEUTRAL("synctest", MS_GO(1, 24), MS_GO(1, 26)),
	NEUTRAL("unified", MS_GO(1, 18), MS_GO(1, 21)),
};

/** The bits of a build that names no experiment.  Swiss maps outlived their experiment. */
static unsigned defaults(int release)
{
	unsigned bits = 0;

	for (size_t i = 0; i < MS_ARRAY_SIZE(experiments); i++) {
		if (release >= experiments[i].on_since)
			bits |= experiments[i].bit;
	}
	return bits;
}

static const struct experiment *find(int release, const char *name, size_t len)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(experiments); i++) {
		const struct experiment *e = &experiments[i];

		if (release >= e->since && release < e->until && strlen(e->name) == len &&
		    !memcmp(e->name, name, len))
			return e;
	}
	return NULL;
}

/** The experiment behind "name" or "noname"; @p ret_on says which. */
static const struct experiment *look_up(int release, const char *name, size_t len, bool *ret_on)
{
	const struct experiment *e = find(release, name, len);

	*ret_on = e != NULL;
	if (!e && len > 2 && !memcmp(name, "no", 2))
		e = find(release, name + 2, len - 2);
	return e;
}

enum ms_go_effect ms_go_experiment_effect(int release, const char *name)
{
	bool on;
	const struct experiment *e = look_up(release, name, strlen(name), &on);

	return e ? e->effect : MS_GO_EFFECT_UNKNOWN;
}

static struct ms_error *apply(int release, const char *name, size_t len, unsigned *bits)
{
	bool on;
	const struct experiment *e = look_up(release, name, len, &on);
	int shown = (int)ms_min_u64(len, 40);

	if (!e)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "built with GOEXPERIMENT=%.*s, which is not known to leave "
				    "the layout of go%d.%d alone",
				    shown, name, ms_go_major(release), ms_go_minor(release));
	if (e->effect == MS_GO_EFFECT_REFUSED && on != (release >= e->on_since))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "built with GOEXPERIMENT=%.*s, which %s; there is no layout "
				    "of go%d.%d with it",
				    shown, name, e->moves, ms_go_major(release),
				    ms_go_minor(release));
	*bits = on ? *bits | e->bit : *bits & ~e->bit;
	return NULL;
}

struct ms_error *ms_go_experiments_parse(int release, const char *names, unsigned *ret_experiments)
{
	unsigned bits = defaults(release);

	while (names && *names) {
		size_t len = strcspn(names, ",");

		if (len) {
			struct ms_error *err = apply(release, names, len, &bits);
			if (err)
				return err;
		}
		names += len;
		names += *names == ',';
	}
	*ret_experiments = bits;
	return NULL;
}
