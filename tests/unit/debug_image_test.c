// Goal: debug sections come out whole in each form that they are stored in, with zeros behind them,
// and one that lies about its length is refused.
// Method: executables with one short section, plain or packed by hand; the image is taken apart by
// its own headers.
#include "image/debug_image.h"

#include "base/cleanup.h"
#include "tests/fuzz/seed.h"
#include "tests/support/fake_target.h"
#include "tests/support/test.h"

#include <elf.h>
#include <endian.h>
#include <stdlib.h>
#include <zlib.h>

enum { TEXT_BYTES = 3000, GUARD_BYTES = 64 };

enum form {
	FORM_PLAIN,
	FORM_PACKED, // By the section's flags.
	FORM_OLDER,  // "ZLIB" and a length, in .zdebug_info.
};

struct stored {
	struct seed exe;
	struct seed section;
	uint8_t text[TEXT_BYTES];
	struct fake_target fake;
};

/** An executable whose debug section says that it is @p told bytes long. */
static struct stored *stored_create(enum form form, uint64_t told)
{
	struct stored *s = calloc(1, sizeof(*s));
	uint8_t packed[TEXT_BYTES * 2];
	uLongf size = sizeof(packed);
	Elf64_Ehdr ehdr;

	CHECK(s);
	for (size_t i = 0; i < TEXT_BYTES; i++)
		s->text[i] = (uint8_t)(i * i / 7);
	CHECK_EQ(compress(packed, &size, s->text, TEXT_BYTES), Z_OK);
	if (form == FORM_PLAIN) {
		seed_bytes(&s->section, s->text, TEXT_BYTES);
	} else if (form == FORM_PACKED) {
		const Elf64_Chdr head = { .ch_type = ELFCOMPRESS_ZLIB, .ch_size = told };

		seed_bytes(&s->section, &head, sizeof(head));
		seed_bytes(&s->section, packed, size);
	} else {
		seed_text(&s->section, "ZLIB");
		seed_number(&s->section, htobe64(told), 8);
		seed_bytes(&s->section, packed, size);
	}
	const struct seed_section sections[] = {
		{ ".text", 0x400000, "\xc3", 1, SHT_PROGBITS, PF_R | PF_X },
		{ ".debug_line", 0, "lines", 5, SHT_PROGBITS, 0 },
		{ form == FORM_OLDER ? ".zdebug_info" : ".debug_info", 0, s->section.bytes,
		  s->section.size, SHT_PROGBITS, 0 },
	};
	seed_elf(&s->exe, EM_X86_64, ET_EXEC, sections, MS_ARRAY_SIZE(sections));
	memcpy(&ehdr, s->exe.bytes, sizeof(ehdr));
	if (form == FORM_PACKED)
		seed_number_at(
		    &s->exe, ehdr.e_shoff + 3 * sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_flags),
		    SHF_COMPRESSED, 8);
	fake_target_init(&s->fake);
	fake_target_exe(&s->fake, s->exe.bytes, s->exe.size);
	return s;
}

static void stored_destroy(struct stored *s)
{
	fake_target_deinit(&s->fake);
	free(s);
}

/** A section of an image, which has to lie in it with its guard; NULL for none. */
static const uint8_t *section_find(const struct ms_debug_image *image, const char *name,
				   uint64_t *ret_size)
{
	Elf64_Ehdr ehdr;
	Elf64_Shdr names, section;

	memcpy(&ehdr, image->bytes, sizeof(ehdr));
	memcpy(&names, image->bytes + ehdr.e_shoff + ehdr.e_shstrndx * sizeof(names),
	       sizeof(names));
	for (unsigned i = 0; i < ehdr.e_shnum; i++) {
		memcpy(&section, image->bytes + ehdr.e_shoff + i * sizeof(section),
		       sizeof(section));
		if (section.sh_type != SHT_PROGBITS ||
		    strcmp((const char *)image->bytes + names.sh_offset + section.sh_name, name))
			continue;
		CHECK(section.sh_offset + section.sh_size + GUARD_BYTES <= image->size);
		*ret_size = section.sh_size;
		return image->bytes + section.sh_offset;
	}
	return NULL;
}

static void comes_out_whole(enum form form)
{
	static const uint8_t zeros[GUARD_BYTES];
	struct stored *s = stored_create(form, TEXT_BYTES);
	struct ms_debug_image image;
	const uint8_t *bytes;
	uint64_t size;

	CHECK_OK(ms_debug_image_load(s->fake.exe_fd, &image));
	bytes = section_find(&image, ".debug_info", &size);
	CHECK(bytes);
	CHECK_EQ(size, TEXT_BYTES);
	CHECK(!memcmp(bytes, s->text, TEXT_BYTES));
	CHECK(!memcmp(bytes + size, zeros, GUARD_BYTES));
	CHECK(!section_find(&image, ".debug_line", &size));
	ms_debug_image_deinit(&image);
	stored_destroy(s);
}

MS_TEST(debug_sections_come_out_whole)
{
	comes_out_whole(FORM_PLAIN);
	comes_out_whole(FORM_PACKED);
	comes_out_whole(FORM_OLDER);
}

static void is_refused(enum form form, uint64_t told, enum ms_error_code code)
{
	struct stored *s = stored_create(form, told);
	struct ms_debug_image image = { .size = 0xdead };

	CHECK_ERR(ms_debug_image_load(s->fake.exe_fd, &image), code);
	CHECK_EQ(image.size, 0xdead);
	stored_destroy(s);
}

MS_TEST(debug_sections_that_lie_about_their_length_are_refused)
{
	static const enum form packed[] = { FORM_PACKED, FORM_OLDER };

	for (size_t i = 0; i < MS_ARRAY_SIZE(packed); i++) {
		is_refused(packed[i], 0, MS_ERR_UNSUPPORTED);
		is_refused(packed[i], TEXT_BYTES - 1, MS_ERR_UNSUPPORTED);
		is_refused(packed[i], TEXT_BYTES + 1, MS_ERR_UNSUPPORTED);
		is_refused(packed[i], 256 << 20, MS_ERR_UNSUPPORTED);
		is_refused(packed[i], (256 << 20) + 1, MS_ERR_LIMIT);
		is_refused(packed[i], UINT64_MAX, MS_ERR_LIMIT);
	}
}

MS_TEST(debug_sections_with_noise_are_refused_or_bounded)
{
	unsigned refused = 0;

	for (unsigned round = 0; round < 200; round++) {
		struct stored *s = stored_create(FORM_PACKED, TEXT_BYTES);
		struct ms_debug_image image = { 0 };
		struct ms_error *err;

		for (unsigned i = 0; i <= round % 4; i++)
			s->exe.bytes[64 + ms_test_random() % (s->exe.size - 64)] ^=
			    (uint8_t)(1 + ms_test_random() % 255);
		fake_target_exe(&s->fake, s->exe.bytes, s->exe.size);
		err = ms_debug_image_load(s->fake.exe_fd, &image);
		refused += err != NULL;
		ms_error_free(err);
		ms_debug_image_deinit(&image);
		stored_destroy(s);
	}
	CHECK(refused > 0);
}
