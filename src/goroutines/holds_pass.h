// holds_pass.h - which goroutines have certain maps on their stacks, or what holds these.
#pragma once

#include "goroutines/goroutines_run.h"

/** Fills the report's holds where options->holds says of what. */
extern const struct ms_goroutines_pass ms_holds_pass;
