// layout_experiments.c - which GOEXPERIMENTs a build has in force, and which of them matter.
//
// A build names only what differs from its release's defaults.  So we start from the defaults and
// apply the names; one that is not listed here could have moved anything, and is refused.
// The list is kept by hand from tests/golden/layouts/experiments.txt, where `make layouts` records
// what each experiment of each release moves; that run fails when the two disagree.
#include "golang/layout.h"

#include <stddef.h>

enum { NEUTRAL = 0 };

struct experiment {
	const char *name;
	int since, until; // Releases that know it: since <= release < until.
	unsigned bit;     // NEUTRAL when it moves nothing that we use.
};

static const struct experiment experiments[] = {
	{ "swissmap", MS_GO(1, 24), MS_GO(1, 26), MS_GO_EXP_SWISS },
	{ "greenteagc", MS_GO(1, 25), MS_GO(1, 28), MS_GO_EXP_GREENTEA },
	{ "mapsplitgroup", MS_GO(1, 27), MS_GO(1, 28), MS_GO_EXP_SPLIT_GROUP },
};

static unsigned defaults(int version)
{
	unsigned bits = 0;

	if (version >= MS_GO(1, 24))
		bits |= MS_GO_EXP_SWISS;
	if (version >= MS_GO(1, 26))
		bits |= MS_GO_EXP_GREENTEA;
	return bits;
}

static const struct experiment *find(int version, const char *name, size_t len)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(experiments); i++) {
		const struct experiment *e = &experiments[i];

		if (version >= e->since && version < e->until && strlen(e->name) == len &&
		    !memcmp(e->name, name, len))
			return e;
	}
	return NULL;
}

static struct ms_error *apply(int version, const char *name, size_t len, unsigned *bits)
{
	const struct experiment *e = find(version, name, len);

	if (e) {
		*bits |= e->bit;
		return NULL;
	}
	e = len > 2 && !memcmp(name, "no", 2) ? find(version, name + 2, len - 2) : NULL;
	if (!e)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "built with GOEXPERIMENT=%.*s, which is not known to leave "
				    "the layout of go%d.%d alone",
				    (int)(len < 40 ? len : 40), name, version / 1000,
				    version % 1000);
	*bits &= ~e->bit;
	return NULL;
}

struct ms_error *ms_go_experiments_parse(int version, const char *names, unsigned *ret_experiments)
{
	unsigned bits = defaults(version);

	while (names && *names) {
		size_t len = strcspn(names, ",");

		if (len) {
			struct ms_error *err = apply(version, names, len, &bits);
			if (err)
				return err;
		}
		names += len;
		names += *names == ',';
	}
	*ret_experiments = bits;
	return NULL;
}
