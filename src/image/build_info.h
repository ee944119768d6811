// build_info.h - what the Go linker says of a build: release, module settings.
#pragma once

#include "image/elf_file.h"

enum { MS_GO_VERSION_MAX = 128, MS_GO_EXPERIMENTS_MAX = 256 };

struct ms_build_info {
	char version[MS_GO_VERSION_MAX];         // "go1.24.13", without an experiment suffix.
	char experiments[MS_GO_EXPERIMENTS_MAX]; // "noswissmap,greenteagc", or "".
	int release;         // (major * 1000 + minor) * 1000 + patch, as MS_GO_PATCH.
	bool is_development; // "devel go1.28-…": between releases.
};

/**
 * Read the build info of the executable (debug/buildinfo in Go; cmd/link/internal/ld/data.go).
 * BAD_DATA when there is none, as in a binary that was post-processed.
 */
MS_MUST_USE struct ms_error *ms_build_info_read(struct ms_target *t, const struct ms_elf *elf,
						struct ms_build_info *ret_info);

/** Take a version string of Go's apart; false when it is none. */
bool ms_build_info_parse(const char *version, size_t size, struct ms_build_info *ret_info);
