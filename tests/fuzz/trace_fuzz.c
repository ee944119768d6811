// A trace by polling of a recorded process whose memory is changed while it goes on, and every page
// of it: growths, evacuations, where entries went, switches, collections, waiters.
//
//	1 byte  which recording      1 byte  bits (trace_run.h)
//	1 byte  how many changes are there from the start      1 byte  how many come with each sleep
//	then changes of 13 bytes (recorded.h)
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/trace_run.h"

enum { READS_MAX = 60000 };

MS_FUZZ_TARGET(trace)
{
	struct fuzz_input in = { data, size };
	struct recorded *r = recorded_get(fuzz_number(&in, 1));
	struct trace_run run = { .recorded = r };
	size_t first;

	run.bits = (unsigned)fuzz_number(&in, 1);
	first = (size_t)fuzz_number(&in, 1);
	run.per_sleep = (unsigned)fuzz_number(&in, 1);
	recorded_begin(r, READS_MAX);
	recorded_changes(&r->changed, r, r->count, RECORDED_CHANGES_MAX, &in);
	run.changes = r->changed.count;
	r->changed.count = (size_t)ms_min_u64(first, run.changes);
	trace_run(&run);
}
