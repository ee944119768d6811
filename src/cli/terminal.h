// terminal.h - what can be shown where the user sits.
#pragma once

#include "cli/options.h"

#include <stdio.h>

/** Width, colours and characters for a page on @p file. */
struct ms_text_style ms_terminal_style(FILE *file, const struct ms_options *options);
