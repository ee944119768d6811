// Goal: the probe stands where the kernel emulates the instruction, the arguments are untouched and
// each call passes once, on every release and both machines; else it is refused.
// Method: the code of the runtime's growth functions as real toolchains made it, and a few bytes
// for what no release does.
#include "trace/probe_site.h"

#include "base/cleanup.h"
#include "tests/support/golden.h"
#include "tests/support/test.h"

#include <stdio.h>

enum { AT = 0x401000, CODE_MAX = 4096 };

/** rax, rbx, rcx, r14; and x0 to x2, x28, x30. */
static const uint32_t keep_amd64 = 1 << 0 | 1 << 3 | 1 << 1 | 1 << 14;
static const uint32_t keep_arm64 = 7u | 1u << 28 | 1u << 30;

static struct ms_error *find(enum ms_arch arch, const uint8_t *bytes, size_t size, ms_addr entry,
			     struct ms_probe_site *ret_site)
{
	struct ms_code *code;
	struct ms_error *err = ms_code_open(arch, &code);

	if (err)
		return err;
	err = ms_probe_site_find(code, arch, bytes, size, entry,
				 arch == MS_ARCH_AMD64 ? keep_amd64 : keep_arm64, ret_site);
	ms_code_close(code);
	return err;
}

static size_t parse_hex(const char *text, uint8_t *bytes)
{
	size_t size = 0;
	unsigned byte;

	for (; size < CODE_MAX && sscanf(text + 2 * size, "%2x", &byte) == 1; size++)
		bytes[size] = (uint8_t)byte;
	return size;
}

/** On amd64 from 1.21 on, frames begin with a push, which the kernel emulates. */
static void check_real(const char *arch, const char *release, const uint8_t *bytes, size_t size,
		       ms_addr entry)
{
	bool is_amd64 = !strcmp(arch, "amd64");
	int minor = (int)strtol(release + 2, NULL, 10);
	struct ms_probe_site site;
	struct ms_error *err =
	    find(is_amd64 ? MS_ARCH_AMD64 : MS_ARCH_ARM64, bytes, size, entry, &site);

	CHECK_OK(err);
	if (is_amd64 && minor >= 21) {
		CHECK_EQ(bytes[site.offset], 0x55);
		CHECK_EQ(site.condition, MS_PROBE_ALWAYS);
		return;
	}
	CHECK_EQ(site.condition, MS_PROBE_BELOW_EQUAL);
	if (is_amd64) {
		CHECK_EQ(site.offset, 4);
		CHECK_EQ(bytes[4], 0x0f);
		CHECK_EQ(bytes[5], 0x86);
	} else {
		CHECK_EQ(site.offset, minor == 18 ? 12 : 8);
		CHECK_EQ(ms_load_u32(bytes + site.offset) & 0xff00001f, 0x54000009);
	}
}

MS_TEST(probe_site_real_functions)
{
	MS_AUTO_FREE char *text = ms_golden_read("growth_code.txt", &(size_t){ 0 });
	MS_AUTO_FREE char *hex = malloc(2 * CODE_MAX + 1);
	uint8_t bytes[CODE_MAX];
	unsigned checked = 0;

	for (char *line = text; line && *line; line = strchr(line, '\n') + 1) {
		char arch[16], release[32], function[64];
		unsigned long long entry;

		if (*line == '#')
			continue;
		CHECK_EQ(sscanf(line, "%15s %31s %63s %llx %8192s", arch, release, function, &entry,
				hex),
			 5);
		check_real(arch, release, bytes, parse_hex(hex, bytes), entry);
		checked++;
	}
	CHECK(checked >= 60);
}

struct made {
	const char *what;
	uint8_t bytes[40];
	int offset; // -1: refused.
	enum ms_probe_condition condition;
};

static const struct made made[] = {
	{ "no stack check: push at once", { 0x55, 0x48, 0x89, 0xe5, 0xc3 }, 0, MS_PROBE_ALWAYS },
	{ "nop before anything else", { 0x48, 0x89, 0xd2, 0x90, 0xc3 }, 3, MS_PROBE_ALWAYS },
	{ "large frame: lea r12, cmp r12, jbe; then sub rsp",
	  { 0x4c, 0x8d, 0x64, 0x24, 0xf8, 0x4d, 0x3b, 0x66, 0x10, 0x76, 5,   0x48,
	    0x83, 0xec, 0x20, 0xc3, 0xe8, 0,    0,    0,    0,    0xeb, 0xe9 },
	  9,
	  MS_PROBE_BELOW_EQUAL },
	{ "the first argument is written first", { 0x48, 0x31, 0xc0, 0x90, 0xc3 }, -1, 0 },
	{ "the stack pointer is written first", { 0x48, 0x83, 0xec, 8, 0x90, 0xc3 }, -1, 0 },
	{ "nothing that is emulated", { 0x48, 0x89, 0xd2, 0xc3 }, -1, 0 },
	{ "a loop through the place", { 0x48, 0x89, 0xd2, 0x90, 0xeb, 0xfd }, -1, 0 },
	{ "a loop to just behind the entry", { 0x48, 0x89, 0xd2, 0x90, 0xeb, 0xfb }, -1, 0 },
	{ "jbe that leads to no stack check, once for each call",
	  { 0x49, 0x3b, 0x66, 0x10, 0x76, 1, 0xc3, 0xc3 },
	  4,
	  MS_PROBE_ALWAYS },
	{ "a stack check by another condition",
	  { 0x49, 0x3b, 0x66, 0x10, 0x74, 2, 0xc3, 0x90, 0xe8, 0, 0, 0, 0, 0xeb, 0xf1 },
	  -1,
	  0 },
	{ "jb as a stack check",
	  { 0x49, 0x3b, 0x66, 0x10, 0x72, 2, 0xc3, 0x90, 0xe8, 0, 0, 0, 0, 0xeb, 0xf1 },
	  4,
	  MS_PROBE_BELOW },
	{ "push of r8 and on", { 0x41, 0x54, 0xc3 }, 0, MS_PROBE_ALWAYS },
	{ "no code at all", { 0x06, 0x06 }, -1, 0 },
};

MS_TEST(probe_site_made_functions)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(made); i++) {
		struct ms_probe_site site = { 0 };
		struct ms_error *err =
		    find(MS_ARCH_AMD64, made[i].bytes, sizeof(made[i].bytes), AT, &site);

		printf("%s\n", made[i].what);
		if (made[i].offset < 0) {
			CHECK(err != NULL);
			CHECK_EQ(ms_error_code(err), MS_ERR_UNSUPPORTED);
			ms_error_free(err);
			continue;
		}
		CHECK_OK(err);
		CHECK_EQ(site.offset, made[i].offset);
		CHECK_EQ(site.condition, made[i].condition);
	}
}

MS_TEST(probe_site_any_bytes)
{
	uint8_t bytes[64];

	for (unsigned round = 0; round < 20000; round++) {
		struct ms_probe_site site = { 0 };
		size_t size = ms_test_random() % sizeof(bytes);
		struct ms_error *err;

		for (size_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)ms_test_random();
		err = find(round & 1 ? MS_ARCH_AMD64 : MS_ARCH_ARM64, bytes, size, AT, &site);
		if (!err)
			CHECK(site.offset + site.length <= size);
		ms_error_free(err);
	}
}
