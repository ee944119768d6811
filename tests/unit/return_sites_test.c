// Goal: all places where a function returns are found, or none; and a hint makes the B that the
// runtime makes of it.
// Method: a few bytes of code, each with its reason; hints next to where B changes.
#include "trace/return_sites.h"

#include "golang/layout.h"
#include "tests/support/test.h"
#include "trace/creations.h"

enum { AT = 0x401000 };

static struct ms_error *find(enum ms_arch arch, const uint8_t *bytes, size_t size,
			     struct ms_return_sites *ret_sites)
{
	struct ms_code *code;
	struct ms_error *err = ms_code_open(arch, &code);

	if (err)
		return err;
	err = ms_return_sites_find(code, arch, bytes, size, AT, ret_sites);
	ms_code_close(code);
	return err;
}

static void check_refused(const uint8_t *bytes, size_t size, const char *why)
{
	struct ms_return_sites sites;
	struct ms_error *err = find(MS_ARCH_AMD64, bytes, size, &sites);

	CHECK_EQ(ms_error_code(err), MS_ERR_UNSUPPORTED);
	CHECK_CONTAINS(ms_error_message(err), why);
	ms_error_free(err);
}

MS_TEST(each_return_is_found_and_no_byte_that_looks_like_one)
{
	static const uint8_t code[] = {
		0x48, 0x85, 0xc0,             // test rax, rax
		0x74, 0x06,                   // je to the second return
		0xb8, 0xc3, 0xc3, 0xc3, 0xc3, // mov eax, 0xc3c3c3c3
		0xc3,                         // ret
		0x5d,                         // pop rbp
		0xc3,                         // ret
		0xcc, 0xcc,                   // int3
	};
	struct ms_return_sites sites;

	CHECK_OK(find(MS_ARCH_AMD64, code, sizeof(code), &sites));
	CHECK_EQ(sites.count, 2);
	CHECK_EQ(sites.items[0], 10);
	CHECK_EQ(sites.items[1], 12);
}

MS_TEST(arm64_returns_are_found)
{
	static const uint8_t code[] = {
		0x1f, 0x20, 0x03, 0xd5, // nop
		0xc0, 0x03, 0x5f, 0xd6, // ret
		0x00, 0x00, 0x00, 0x14, // b to itself
	};
	struct ms_return_sites sites;

	CHECK_OK(find(MS_ARCH_ARM64, code, sizeof(code), &sites));
	CHECK_EQ(sites.count, 1);
	CHECK_EQ(sites.items[0], 4);
}

MS_TEST(a_function_that_may_go_back_another_way_is_refused)
{
	static const uint8_t jump_out[] = { 0xc3, 0xe9, 0x00, 0x10, 0x00, 0x00 };
	static const uint8_t branch_out[] = { 0x74, 0x70, 0xc3 };
	static const uint8_t computed[] = { 0xff, 0xe0, 0xc3 }; // jmp rax
	static const uint8_t undecoded[] = { 0xc3, 0x06 };      // No instruction of 64 bits.
	static const uint8_t endless[] = { 0xeb, 0xfe };

	check_refused(jump_out, sizeof(jump_out), "another function");
	check_refused(branch_out, sizeof(branch_out), "another function");
	check_refused(computed, sizeof(computed), "another function");
	check_refused(undecoded, sizeof(undecoded), "decoded");
	check_refused(endless, sizeof(endless), "does not return");
}

MS_TEST(too_many_returns_are_refused)
{
	uint8_t code[MS_RETURN_SITES_MAX + 1];

	memset(code, 0xc3, sizeof(code));
	check_refused(code, sizeof(code), "too many");
}

MS_TEST(a_hint_makes_the_b_that_the_runtime_makes_of_it)
{
	static const struct {
		uint64_t hint;
		unsigned b, b_of_121; // Go 1.21 fills a bucket with 6 where others do with 6.5.
	} cases[] = { { 0, 0, 0 },  { 8, 0, 0 },    { 9, 1, 1 },           { 12, 1, 1 },
		      { 13, 1, 2 }, { 14, 2, 2 },   { 26, 2, 3 },          { 27, 3, 3 },
		      { 52, 3, 4 }, { 1000, 8, 8 }, { (uint64_t)-3, 0, 0 } };
	const struct ms_go_layout with_6 = { .since = MS_GO(1, 21), .until = MS_GO(1, 22) };
	const struct ms_go_layout others = { .since = MS_GO(1, 22), .until = MS_GO(1, 24) };

	for (size_t i = 0; i < MS_ARRAY_SIZE(cases); i++) {
		CHECK_EQ(ms_creation_bucket_shift(&others, cases[i].hint, 208), cases[i].b);
		CHECK_EQ(ms_creation_bucket_shift(&with_6, cases[i].hint, 208), cases[i].b_of_121);
	}
	CHECK_EQ(ms_creation_bucket_shift(&others, UINT64_C(1) << 44, 208), 0); // Too big: none.
	CHECK_EQ(ms_creation_bucket_shift(&others, UINT64_C(1) << 20, 208), 18);
}
