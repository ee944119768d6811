// The place for a probe in a function of any bytes: an instruction that lies within it.
//
//	1 byte  bits: 1 arm64      4 bytes  registers to keep      the code
#include "trace/probe_site.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#define ENTRY ((ms_addr)0x401000)

MS_FUZZ_TARGET(probe_site)
{
	struct fuzz_input in = { data, size };
	enum ms_arch arch = fuzz_number(&in, 1) & 1 ? MS_ARCH_ARM64 : MS_ARCH_AMD64;
	uint32_t keep = (uint32_t)fuzz_number(&in, 4);
	struct ms_probe_site site;
	struct ms_code *code;

	FUZZ_CHECK(fuzz_worked(ms_code_open(arch, &code)));
	in = fuzz_part(&in, MS_PROBE_CODE_BYTES_MAX);
	if (fuzz_worked(ms_probe_site_find(code, arch, in.at, in.left, ENTRY, keep, &site))) {
		FUZZ_CHECK(site.length && site.offset + site.length <= in.left);
		FUZZ_CHECK(arch == MS_ARCH_AMD64 || site.offset % 4 == 0);
	}
	ms_code_close(code);
}
