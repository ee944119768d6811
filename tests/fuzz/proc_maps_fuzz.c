// The text of /proc/PID/maps.
#include "target/proc_maps.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#include <sys/sysmacros.h>

MS_FUZZ_TARGET(proc_maps)
{
	const struct stat exe = { .st_dev = makedev(8, 1), .st_ino = 131 };
	struct ms_regions regions;
	ms_addr last = 0;

	if (!fuzz_worked(
		ms_proc_maps_parse((const char *)data, size, &exe, "/usr/bin/service", &regions)))
		return;
	for (size_t i = 0; i < regions.count; i++) {
		const struct ms_region *r = &regions.items[i];

		FUZZ_CHECK(r->start >= last && r->end > r->start);
		FUZZ_CHECK(ms_regions_find(&regions, r->start) == r);
		FUZZ_CHECK(ms_regions_find(&regions, r->end - 1) == r);
		last = r->end;
	}
	ms_regions_deinit(&regions);
}
