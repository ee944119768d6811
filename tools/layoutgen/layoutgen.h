// layoutgen.h - the binaries that layouts are read from, and the four things printed from them.
#pragma once

#include "base/arena.h"
#include "golang/layout_internal.h"

#include <stdio.h>

/** One binary of the list: what it was built with, and the layout that its DWARF holds. */
struct sample {
	const char *toolchain; // "go1.24.13"
	const char *arch;      // "amd64"
	const char *names;     // GOEXPERIMENT as given to the build, "" for none.
	const char *path;
	int release;
	unsigned experiments; // Parsed from names, where rows are made.
	struct ms_go_layout layout;
	uint16_t classes[128];
	struct ms_go_answer answers[MS_GO_QUESTION_COUNT];
};

struct sample_vec {
	struct sample *items;
	size_t count, capacity;
};

/** One row of the table: samples [first, first + count) agree in everything. */
struct row {
	const struct sample *first;
	size_t count;
	int since, until;
};

struct row_vec {
	struct row *items;
	size_t count, capacity;
};

/** "swiss+greentea", the words of support tables, proved.txt and evidence file names. */
const char *kind_name(struct ms_arena *arena, const struct ms_go_layout *layout);

/** The number of "go1.24.13", -1 when it is none; what stands behind a number does not count. */
int release_parse(const char *toolchain);

/**
 * Samples sorted by architecture, experiments and release become rows; false: out of memory.
 * A row reaches over the patch releases between two that agree, not between two that differ.
 */
bool merge_rows(const struct sample_vec *samples, struct row_vec *ret_rows);

void print_rows(FILE *out, const struct row_vec *rows);
void print_evidence(FILE *out, struct ms_arena *arena, const struct sample *sample);
MS_MUST_USE struct ms_error *print_support(FILE *out, struct ms_arena *arena,
					   const struct row_vec *rows, const char *proved_path);

/**
 * Compare every sample with the first plain one of its release and architecture, and
 * layout_experiments.c with what each experiment did.
 */
MS_MUST_USE struct ms_error *print_moves(FILE *out, const struct sample_vec *samples);
