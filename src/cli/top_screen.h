// top_screen.h - `mapscope top` on a terminal.
#pragma once

#include "cli/top_look.h"

/** Show until the user quits; NULL then.  USAGE where the terminal cannot show a screen. */
MS_MUST_USE struct ms_error *ms_top_screen_run(struct ms_top_look *look);
