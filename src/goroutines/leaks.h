// leaks.h - go statements whose goroutines became more between two looks, and wait.
#pragma once

#include "goroutines/goroutines_run.h"

/** Fills suspects, proof and apart_s of the report. */
extern const struct ms_goroutines_pass ms_leaks_pass;

/** How the runtime's own leak profile is had from such a program; NULL when it has none. */
const char *ms_leak_proof(const struct ms_build_info *build);
