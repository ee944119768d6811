// text_finding.h - the paragraph of one finding on the page of `mapscope PID`.
#pragma once

#include "render/text.h"

/** Finding number @p rank, from 1, and an empty line. */
void ms_text_finding(struct ms_text *t, const struct ms_diagnosis_report *report, size_t rank);
