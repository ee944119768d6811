// layout.h - where one Go release keeps its fields.
//
// Order of evidence: a row made by `make layouts` from a real toolchain, found by release,
// architecture and experiments; else the target's own DWARF (marked); else nothing.  The nearest
// row is a guess, not a layout.
#pragma once

#include "base/error.h"
#include "base/types.h"

/**
 * A release as a number that grows; MS_GO(1, 24) is the first of its minor release.  The patch
 * counts: within 1.18 and within 1.19 mspan became longer.
 */
#define MS_GO_PATCH(major, minor, patch) (((major)*1000 + (minor)) * 1000 + (patch))
#define MS_GO(major, minor) MS_GO_PATCH(major, minor, 0)

static inline int ms_go_major(int release)
{
	return release / 1000000;
}

static inline int ms_go_minor(int release)
{
	return release / 1000 % 1000;
}

static inline int ms_go_patch(int release)
{
	return release % 1000;
}

/** A fact that this release does not have.  0 is a real offset. */
#define MS_ABSENT UINT32_MAX

/** GOEXPERIMENTs that move things.  The others are neutral: see layout_experiments.c. */
enum ms_go_experiment {
	MS_GO_EXP_SWISS = 1,       // swissmap: default in 1.24 and 1.25, the only one from 1.26.
	MS_GO_EXP_GREENTEA = 2,    // greenteagc: default from 1.26.
	MS_GO_EXP_SPLIT_GROUP = 4, // mapsplitgroup: offered from 1.27.
};

enum ms_go_maps {
	MS_GO_MAPS_CLASSIC,
	MS_GO_MAPS_SWISS,
};

struct ms_go_layout {
	int since, until; // Holds for since <= release < until; both 0 when read from DWARF.
	enum ms_arch arch;
	unsigned experiments; // Bits of ms_go_experiment that are in force.
	enum ms_go_maps maps;
#define OFFSET(member, type, path) uint32_t member;
#define SIZE(member, type) uint32_t member;
#define FIELD_SIZE(member, type, path) uint32_t member;
#define DISTANCE(member, type, from, to) uint32_t member;
#define CLASSIC_OFFSET(member, type, path) uint32_t member;
#define CLASSIC_SIZE(member, type) uint32_t member;
#define SWISS_OFFSET(member, type, path) uint32_t member;
#define SWISS_SIZE(member, type) uint32_t member;
#include "golang/layout_fields.def"
#undef OFFSET
#undef SIZE
#undef FIELD_SIZE
#undef DISTANCE
#undef CLASSIC_OFFSET
#undef CLASSIC_SIZE
#undef SWISS_OFFSET
#undef SWISS_SIZE
	const uint16_t *size_classes; // runtime.class_to_size: bytes by size class, [0] is 0.
	uint16_t size_class_count;
};

enum ms_layout_source {
	MS_LAYOUT_TABLE, // A generated row.
	MS_LAYOUT_DWARF, // The target's own debug information.
};

/** The row for a release, or NULL when there is none. */
const struct ms_go_layout *ms_go_layout_find(int release, enum ms_arch arch, unsigned experiments);

/** All rows, for the tests that walk them. */
size_t ms_go_layout_count(void);
const struct ms_go_layout *ms_go_layout_at(size_t index);

/**
 * The name of the first member in which two rows differ, or of what else tells them apart; NULL
 * when a process of the one can be read with the other.
 */
const char *ms_go_layout_difference(const struct ms_go_layout *a, const struct ms_go_layout *b);

/**
 * Read a layout out of a binary's DWARF (libdw).  UNSUPPORTED when there is none or a needed type
 * is missing.  The experiments are those that can be seen in it.  @p ret_layout->size_classes is
 * borrowed from static storage or from @p ret_classes, which has room for 128 entries.
 */
MS_MUST_USE struct ms_error *ms_go_layout_from_dwarf(int exe_fd, struct ms_go_layout *ret_layout,
						     uint16_t ret_classes[128]);

/**
 * Turn the experiments named in a build ("noswissmap,greenteagc", NULL for none) into the bits in
 * force for @p release.  UNSUPPORTED names an experiment that is not known to be neutral.
 */
MS_MUST_USE struct ms_error *ms_go_experiments_parse(int release, const char *names,
						     unsigned *ret_experiments);
