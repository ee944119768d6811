// samples_pass.h - what running goroutines do, by the CPU clock; who is inside map code.
#pragma once

#include "goroutines/goroutines_run.h"

/**
 * Samples the threads between the two looks; gives rows that run the stack they were seen with
 * most, and every row the map it works on; fills samples, no_samples and clues of the report.
 */
extern const struct ms_goroutines_pass ms_samples_pass;
