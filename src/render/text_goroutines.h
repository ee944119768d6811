// text_goroutines.h - the sections of the page of goroutines that passes fill.
#pragma once

#include "render/text.h"

/** Append "Registry.mu (mutex)". */
void ms_text_place_name(struct ms_text *t, const struct ms_wait_place *place);

/** Each of these begins with its own heading, and is nothing where there is nothing to say. */
void ms_text_places(struct ms_text *t, const struct ms_goroutines_report *report, size_t top);
void ms_text_suspects(struct ms_text *t, const struct ms_goroutines_report *report);
void ms_text_map_users(struct ms_text *t, const struct ms_goroutines_report *report, size_t top);
void ms_text_clues(struct ms_text *t, const struct ms_goroutines_report *report);
void ms_text_sched(struct ms_text *t, const struct ms_goroutines_report *report);

/** Append "12 waiting (chan receive), oldest 37 min, over 5 min". */
void ms_text_wait(struct ms_text *t, const char *state, const char *reason, double oldest_s);
