// A core file, of a program that is there.
#include "target/core.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_core.h"

#include <unistd.h>

MS_FUZZ_TARGET(core)
{
	struct fake_core f;
	struct ms_core_options options = { 0 };
	struct ms_regions regions = { 0 };
	struct ms_target *t = NULL;
	uint8_t bytes[256];
	size_t count;

	fake_core_init(&f, "/no/such/program");
	options.exe = size % 2 ? NULL : f.exe_path;
	if (ftruncate(f.core_fd, 0) == 0 && pwrite(f.core_fd, data, size, 0) == (ssize_t)size &&
	    fuzz_worked(ms_core_open(f.core_path, &options, &t))) {
		const struct ms_thread_state *threads = ms_target_threads(t, &count);

		FUZZ_CHECK(count == 0 ||
			   threads[count - 1].register_count <= MS_THREAD_REGISTERS_MAX);
		if (fuzz_worked(ms_target_regions(t, &regions))) {
			for (size_t i = 0; i < regions.count; i++) {
				const struct ms_region *r = &regions.items[i];

				FUZZ_CHECK(r->end > r->start);
				FUZZ_CHECK(i == 0 || regions.items[i - 1].end <= r->start);
				(void)fuzz_worked(
				    ms_target_read(t, r->start, bytes, sizeof(bytes)));
				(void)fuzz_worked(
				    ms_target_read(t, r->end - 16, bytes, sizeof(bytes)));
			}
		}
		ms_regions_deinit(&regions);
		ms_target_destroy(t);
	}
	fake_core_deinit(&f);
}
