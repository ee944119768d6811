// The executable's ELF file: any bytes.
//
// What is believed of it must lie inside the file.
#include "image/elf_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"
#include "tests/support/fake_target.h"

static void find_sections(struct fake_target *fake, size_t size)
{
	static const char *const names[] = { ".text", ".gopclntab", ".go.buildinfo",
					     ".data", ".bss",       "" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) {
		struct ms_elf_section section;

		if (ms_elf_section_find(&fake->target, names[i], &section))
			FUZZ_CHECK(ms_range_holds(0, size, section.offset, section.bytes));
	}
}

/** Map each segment as the kernel would, at another address. */
static void place(struct ms_elf *elf)
{
	struct ms_region items[MS_ELF_SEGMENTS_MAX];
	struct ms_regions regions = { items, 0, MS_ELF_SEGMENTS_MAX };

	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct ms_elf_segment *s = &elf->segments[i];
		ms_addr start = 0x550000000000 + (s->vaddr & 0xfffffffff000);

		items[regions.count++] = (struct ms_region){
			.start = start,
			.end = start + ms_round_up(s->mem_bytes + 1, 4096),
			.file_offset = s->offset & ~(uint64_t)4095,
			.kind = i % 5 == 4 ? MS_REGION_ANON : MS_REGION_EXE,
			.prot = s->prot,
		};
	}
	fuzz_worked(ms_elf_place(elf, &regions));
}

static void find_offsets(const struct ms_elf *elf, size_t size)
{
	static const uint64_t sizes[] = { 0, 1, 16, 4096, UINT64_MAX };

	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct ms_elf_segment *s = &elf->segments[i];
		const uint64_t at[] = { s->vaddr, s->vaddr - 1, s->vaddr + s->file_bytes,
					s->vaddr + s->file_bytes / 2, s->vaddr + s->mem_bytes };

		for (size_t a = 0; a < MS_ARRAY_SIZE(at); a++) {
			for (size_t n = 0; n < MS_ARRAY_SIZE(sizes); n++) {
				uint64_t offset;

				if (ms_elf_offset_of(elf, at[a], sizes[n], &offset))
					FUZZ_CHECK(ms_range_holds(0, size, offset, sizes[n]));
			}
		}
	}
}

MS_FUZZ_TARGET(elf)
{
	struct fake_target fake;
	struct ms_elf elf;

	fake_target_init(&fake);
	fake_target_exe(&fake, data, size);
	if (fuzz_worked(ms_elf_open(&fake.target, &elf))) {
		FUZZ_CHECK(elf.segment_count > 0 && elf.segment_count < MS_ELF_SEGMENTS_MAX);
		place(&elf);
		find_offsets(&elf, size);
	}
	find_sections(&fake, size);
	fake_target_deinit(&fake);
}
