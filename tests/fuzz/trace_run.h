// trace_run.h - a trace of a recorded and changed process by a clock that only sleeping moves.
#pragma once

#include "tests/fuzz/recorded.h"
#include "trace/trace.h"

/** What an input says of a trace; zero-initialise the rest. */
struct trace_run {
	unsigned bits;      // 1 no switches, 2 no migrations, 4 no gctrace, 8 without a census.
	unsigned per_sleep; // Changes that come with each sleep.
	bool by_probes;
	size_t changes; // All of them; recorded->changed.count are there.
	struct recorded *recorded;
	double now;
	unsigned sleeps;
};

/** Trace, hold the report against itself, render it in every form. */
void trace_run(struct trace_run *run);
