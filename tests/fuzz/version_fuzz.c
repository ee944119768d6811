// Version strings that string variables of the data segment point to.
//
//	2 bytes  size of the data segment      the data segment      read-only data
#include "golang/version.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/go_data.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

MS_FUZZ_TARGET(version)
{
	struct ms_build_info found[MS_GO_VERSIONS_MAX];
	struct fuzz_input in = { data, size };
	struct ms_go_runtime *rt = calloc(1, sizeof(*rt));
	struct fuzz_input segment = fuzz_part(&in, (size_t)fuzz_number(&in, 2));
	size_t pages_size, texts_size, count;
	uint8_t *pages = fuzz_pages(&segment, &pages_size);
	uint8_t *texts = fuzz_pages(&in, &texts_size);
	struct fake_target fake;

	FUZZ_CHECK(rt);
	fake_target_init(&fake);
	fake_target_exe(&fake, data, size);
	rt->target = &fake.target;
	fake_target_map_exe(&fake, FUZZ_DATA_ADDR, pages, pages_size, 0,
			    MS_PROT_READ | MS_PROT_WRITE);
	fake_target_map_exe(&fake, FUZZ_TYPES_ADDR, texts, texts_size, 0, MS_PROT_READ);
	FUZZ_CHECK(fuzz_worked(ms_go_refresh(rt)));
	if (fuzz_worked(ms_go_versions_find(rt, found, &count))) {
		FUZZ_CHECK(count <= MS_GO_VERSIONS_MAX);
		for (size_t i = 0; i < count; i++)
			FUZZ_CHECK(found[i].version[0] && found[i].release >= 0);
	}
	ms_go_close(rt);
	fake_target_deinit(&fake);
	free(pages);
	free(texts);
}
