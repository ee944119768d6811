// migrations.h - the part of a trace that looks into old arrays, when it is asked for.
#pragma once

#include "trace/trace.h"

/** Behind the polls, whose looks it is told of: how far evacuations are, where entries went. */
extern const struct ms_trace_part ms_migrations;
