// elf_file.c - libelf reads the file, with plain reads: a mapped file that is cut short would kill
// us with a signal.  What it says is only believed as far as it fits the file's size.
#include "image/elf_file.h"

#include <gelf.h>
#include <inttypes.h>
#include <libelf.h>

static void elf_endp(Elf **e)
{
	if (*e)
		elf_end(*e);
}

#define AUTO_ELF __attribute__((cleanup(elf_endp)))

static Elf *elf_begin_target(struct ms_target *t)
{
	elf_version(EV_CURRENT);
	return elf_begin(ms_target_exe_fd(t), ELF_C_READ, NULL);
}

static struct ms_error *header_check(const GElf_Ehdr *header, struct ms_elf *elf)
{
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its executable is not a 64-bit little-endian program");
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its executable is an ELF file of type %u, "
				    "not a program",
				    header->e_type);
	elf->is_pie = header->e_type == ET_DYN;
	elf->entry = header->e_entry;
	if (header->e_machine == EM_X86_64)
		elf->arch = MS_ARCH_AMD64;
	else if (header->e_machine == EM_AARCH64)
		elf->arch = MS_ARCH_ARM64;
	else
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "its machine (ELF number %u) is not known: "
				    "amd64 and arm64 are",
				    header->e_machine);
	return NULL;
}

static struct ms_error *segments_read(Elf *e, uint64_t file_size, struct ms_elf *elf)
{
	uint64_t bytes = 0;
	size_t count = 0;

	if (elf_getphdrnum(e, &count) != 0)
		return ms_error_new(MS_ERR_UNSUPPORTED, "its program headers cannot be read: %s",
				    elf_errmsg(-1));
	for (size_t i = 0; i < count && i < INT16_MAX; i++) {
		struct ms_elf_segment *s = &elf->segments[elf->segment_count];
		GElf_Phdr p;

		if (!gelf_getphdr(e, (int)i, &p) || p.p_type != PT_LOAD)
			continue;
		if (p.p_offset > file_size || p.p_filesz > file_size - p.p_offset ||
		    p.p_memsz < p.p_filesz || p.p_vaddr > UINT64_MAX / 2 ||
		    p.p_memsz > UINT64_MAX / 2)
			return ms_error_new(MS_ERR_UNSUPPORTED,
					    "its executable is cut short: a segment ends at byte "
					    "%" PRIu64 " of %" PRIu64,
					    p.p_offset + p.p_filesz, file_size);
		if (p.p_filesz > MS_ELF_IMAGE_BYTES_MAX - bytes)
			return ms_error_new(MS_ERR_UNSUPPORTED,
					    "its executable has segments of over %" PRIu64 " MiB",
					    MS_ELF_IMAGE_BYTES_MAX >> 20);
		bytes += p.p_filesz;
		if (elf->segment_count + 1 == MS_ELF_SEGMENTS_MAX)
			return ms_error_new(MS_ERR_UNSUPPORTED,
					    "its executable has over %d segments",
					    MS_ELF_SEGMENTS_MAX);
		*s = (struct ms_elf_segment){ p.p_vaddr, p.p_offset, p.p_filesz, p.p_memsz, 0 };
		s->prot = (p.p_flags & PF_R ? MS_PROT_READ : 0u) |
			  (p.p_flags & PF_W ? MS_PROT_WRITE : 0u) |
			  (p.p_flags & PF_X ? MS_PROT_EXEC : 0u);
		elf->segment_count++;
	}
	if (!elf->segment_count)
		return ms_error_new(MS_ERR_UNSUPPORTED, "its executable has nothing to load");
	return NULL;
}

typedef bool (*section_fn)(const char *name, const GElf_Shdr *header, void *context);

/** Call @p fn for each section until it returns false. */
static void sections_each(Elf *e, section_fn fn, void *context)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(e, &names) != 0)
		return;
	for (unsigned i = 0; i < MS_ELF_SECTIONS_MAX && (section = elf_nextscn(e, section)); i++) {
		GElf_Shdr header;
		const char *name;

		if (!gelf_getshdr(section, &header))
			return;
		name = elf_strptr(e, names, header.sh_name);
		if (name && !fn(name, &header, context))
			return;
	}
}

static bool note_section(const char *name, const GElf_Shdr *header, void *context)
{
	struct ms_elf *elf = context;

	if (header->sh_type == SHT_SYMTAB)
		elf->has_symbols = true;
	if (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info"))
		elf->has_dwarf = true;
	return true;
}

struct ms_error *ms_elf_open(struct ms_target *t, struct ms_elf *ret_elf)
{
	AUTO_ELF Elf *e = elf_begin_target(t);
	struct ms_elf elf = { 0 };
	struct ms_error *err;
	GElf_Ehdr header;

	if (!e || elf_kind(e) != ELF_K_ELF || !gelf_getehdr(e, &header))
		return ms_error_new(MS_ERR_UNSUPPORTED, "its executable is not an ELF file");
	err = header_check(&header, &elf);
	if (!err)
		err = segments_read(e, t->exe_size, &elf);
	if (err)
		return err;
	sections_each(e, note_section, &elf);
	*ret_elf = elf;
	return NULL;
}

struct ms_error *ms_elf_place(struct ms_elf *elf, const struct ms_regions *regions)
{
	for (size_t s = 0; s < elf->segment_count; s++) {
		const struct ms_elf_segment *segment = &elf->segments[s];
		uint64_t page = segment->offset & ~(uint64_t)4095;

		for (size_t r = 0; r < regions->count; r++) {
			const struct ms_region *region = &regions->items[r];

			if (region->kind != MS_REGION_EXE || region->file_offset != page ||
			    (segment->prot & MS_PROT_EXEC) != (region->prot & MS_PROT_EXEC))
				continue;
			elf->bias = region->start - (segment->vaddr & ~(uint64_t)4095);
			return NULL;
		}
	}
	return ms_error_new(MS_ERR_UNSUPPORTED, "no mapping of its executable was found in memory");
}

struct section_search {
	const char *name;
	struct ms_elf_section *ret_section;
	bool found;
};

static bool match_section(const char *name, const GElf_Shdr *header, void *context)
{
	struct section_search *search = context;

	if (strcmp(name, search->name) != 0 || header->sh_type == SHT_NOBITS)
		return true;
	*search->ret_section =
	    (struct ms_elf_section){ header->sh_addr, header->sh_offset, header->sh_size };
	search->found = true;
	return false;
}

bool ms_elf_section_find(struct ms_target *t, const char *name, struct ms_elf_section *ret_section)
{
	AUTO_ELF Elf *e = elf_begin_target(t);
	struct ms_elf_section section;
	struct section_search search = { name, &section, false };

	if (!e || elf_kind(e) != ELF_K_ELF)
		return false;
	sections_each(e, match_section, &search);
	if (!search.found || section.offset > t->exe_size ||
	    section.bytes > t->exe_size - section.offset)
		return false;
	*ret_section = section;
	return true;
}

bool ms_elf_offset_of(const struct ms_elf *elf, uint64_t vaddr, uint64_t size, uint64_t *ret_offset)
{
	for (size_t i = 0; i < elf->segment_count; i++) {
		const struct ms_elf_segment *s = &elf->segments[i];

		if (ms_range_holds(s->vaddr, s->vaddr + s->file_bytes, vaddr, size)) {
			*ret_offset = s->offset + (vaddr - s->vaddr);
			return true;
		}
	}
	return false;
}
