// What the linker says of a build, and the version strings in it.
#include "image/build_info.h"
#include "tests/fuzz/exe.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct ms_build_info *info)
{
	FUZZ_CHECK(strnlen(info->version, MS_GO_VERSION_MAX) < MS_GO_VERSION_MAX);
	FUZZ_CHECK(strnlen(info->experiments, MS_GO_EXPERIMENTS_MAX) < MS_GO_EXPERIMENTS_MAX);
	FUZZ_CHECK(strstr(info->version, "go") != NULL);
	FUZZ_CHECK(info->release >= 0 && info->release <= MS_GO_PATCH(999, 999, 999));
}

MS_FUZZ_TARGET(build_info)
{
	struct fuzz_input in = { data, size };
	struct ms_build_info info;
	struct fake_target fake;
	struct ms_elf elf;

	if (ms_build_info_parse((const char *)data, size, &info))
		check(&info);
	fuzz_exe_open(&fake, &in, &elf);
	if (fuzz_worked(ms_build_info_read(&fake.target, &elf, &info)))
		check(&info);
	fake_target_deinit(&fake);
}
