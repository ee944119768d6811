// pclntab.c - the header is recognised by its bytes, wherever the linker put the table.
//
//	0  magic (4)  4  zero (2)  6  instruction quantum  7  pointer size
//	8  functions  16  files    24 text start           32 offset of the names
//	40 offset of the compilation units' table, which follows the names
//
// Source: runtime.pcHeader in runtime/symtab.go, Go 1.18 to 1.27.  The section .gopclntab (in a
// PIE .data.rel.ro.gopclntab) says where it is; without sections the segments are searched.
#include "image/pclntab.h"

#include "base/cleanup.h"

enum {
	HEADER_BYTES = 48,
	SCAN_STEP = 1 << 20,
	FUNCTIONS_MAX = 8 << 20,
	NAMES_BYTES_MAX = 128 << 20, // The largest programs have some 10 MB.
};

/** Whether @p h looks like the header of a table in @p room bytes. */
static bool header_parse(const uint8_t *h, uint64_t room, enum ms_arch arch,
			 struct ms_pclntab *ret_tab)
{
	uint32_t magic = ms_load_u32(h);
	uint8_t quantum = arch == MS_ARCH_ARM64 ? 4 : 1;
	struct ms_pclntab tab = { 0 };

	if (magic == 0xfffffff1)
		tab.family = MS_PCLNTAB_1_20;
	else if (magic == 0xfffffff0)
		tab.family = MS_PCLNTAB_1_18;
	else if (magic == 0xfffffffa || magic == 0xfffffffb)
		tab.family = MS_PCLNTAB_OLD;
	else
		return false;
	if (h[4] || h[5] || h[6] != quantum || h[7] != 8)
		return false;
	tab.functions = ms_load_u64(h + 8);
	if (!tab.functions || tab.functions > FUNCTIONS_MAX)
		return false;
	if (tab.family != MS_PCLNTAB_OLD) {
		uint64_t names = ms_load_u64(h + 32), next = ms_load_u64(h + 40);

		if (names < HEADER_BYTES || names >= next || next > room ||
		    next - names > NAMES_BYTES_MAX)
			return false;
		tab.names_offset = names;
		tab.names_bytes = next - names;
	}
	*ret_tab = tab;
	return true;
}

static struct ms_error *segment_scan(struct ms_target *t, const struct ms_elf *elf,
				     const struct ms_elf_segment *segment,
				     struct ms_pclntab *ret_tab, bool *ret_found)
{
	MS_AUTO_FREE uint8_t *buf = malloc(SCAN_STEP);
	uint64_t end = segment->offset + segment->file_bytes;

	if (!buf)
		return ms_error_no_memory();
	for (uint64_t offset = ms_round_up(segment->offset, 8); offset + HEADER_BYTES <= end;
	     offset += SCAN_STEP - 64) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, end - offset);
		struct ms_error *err = ms_target_exe_read(t, offset, buf, size);

		if (err)
			return err;
		for (size_t at = 0; at + HEADER_BYTES <= size; at += 8) {
			if (buf[at + 1] != 0xff || buf[at + 2] != 0xff || buf[at + 3] != 0xff ||
			    !header_parse(buf + at, end - offset - at, elf->arch, ret_tab))
				continue;
			ret_tab->offset = offset + at;
			ret_tab->vaddr = segment->vaddr + (ret_tab->offset - segment->offset);
			*ret_found = true;
			return NULL;
		}
	}
	return NULL;
}

static bool section_try(struct ms_target *t, const struct ms_elf *elf, const char *name,
			struct ms_pclntab *ret_tab)
{
	uint8_t header[HEADER_BYTES];
	struct ms_elf_section section;
	struct ms_error *err;

	if (!ms_elf_section_find(t, name, &section) || section.bytes < HEADER_BYTES)
		return false;
	err = ms_target_exe_read(t, section.offset, header, sizeof(header));
	if (err) {
		ms_error_free(err);
		return false;
	}
	if (!header_parse(header, section.bytes, elf->arch, ret_tab))
		return false;
	ret_tab->offset = section.offset;
	ret_tab->vaddr = section.vaddr;
	return true;
}

static struct ms_error *not_found(struct ms_target *t)
{
	struct ms_elf_section section;

	if ((ms_elf_section_find(t, ".gopclntab", &section) ||
	     ms_elf_section_find(t, ".data.rel.ro.gopclntab", &section)) &&
	    section.bytes >= HEADER_BYTES)
		return ms_error_new(
		    MS_ERR_UNSUPPORTED,
		    "its Go function table (pclntab) begins in no way that is known: "
		    "it is obfuscated, or of a release unknown to mapscope");
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "its executable is not a Go program: no Go function table (pclntab) "
			    "in it");
}

struct ms_error *ms_pclntab_find(struct ms_target *t, const struct ms_elf *elf,
				 struct ms_pclntab *ret_tab)
{
	bool found = section_try(t, elf, ".gopclntab", ret_tab) ||
		     section_try(t, elf, ".data.rel.ro.gopclntab", ret_tab);

	for (size_t i = 0; i < elf->segment_count && !found; i++) {
		struct ms_error *err;

		if (elf->segments[i].prot & MS_PROT_EXEC)
			continue;
		err = segment_scan(t, elf, &elf->segments[i], ret_tab, &found);
		if (err)
			return err;
	}
	return found ? NULL : not_found(t);
}

struct ms_error *ms_pclntab_has_function(struct ms_target *t, const struct ms_pclntab *tab,
					 const char *name, bool *ret_has)
{
	size_t size = (size_t)tab->names_bytes, len = strlen(name);
	MS_AUTO_FREE char *names = malloc(size);
	struct ms_error *err;
	const char *at = names;

	if (!names)
		return ms_error_no_memory();
	err = ms_target_exe_read(t, tab->offset + tab->names_offset, names, size);
	if (err)
		return err;
	*ret_has = false;
	while ((at = memmem(at, size - (size_t)(at - names), name, len)) != NULL) {
		bool starts = at == names || at[-1] == '\0';

		if (starts && at + len < names + size && at[len] == '\0') {
			*ret_has = true;
			return NULL;
		}
		at++;
	}
	return NULL;
}
