// A file that may be a census document or a packed snapshot: its first bytes tell.
#include "snapshot/snapshot.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#include <stdio.h>

MS_FUZZ_TARGET(snapshot_stream)
{
	FILE *in = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	struct ms_snapshot s;

	if (!in)
		return;
	if (fuzz_worked(ms_snapshot_read(in, &s)))
		ms_census_report_deinit(&s.census);
	fclose(in);
}
