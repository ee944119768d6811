// dwarf_file.c - opening a binary's DWARF, and asking single entries of it.
//
// The file is read with pread, not mapped, so a file that shrinks under us is an error and not a
// signal.  Nothing in it is believed: libdw checks lengths and moves forward only; what it would
// unpack, typedef chains and offsets are bounded here.
#include "golang/dwarf_file.h"

#include <dwarf.h>
#include <endian.h>
#include <gelf.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	TYPEDEFS_MAX = 16,
	OFFSET_MAX = 1 << 24, // No struct of the runtime is that large.
	SECTIONS_MAX = 1 << 16,
	GUARD_BYTES = 64, // Behind .debug_info; the longest plain read is of a number of 16.
	UNPACKED_BYTES_MAX = 256 << 20, // Of the sections taken in; a 100 MB binary has 40 MB.
};

bool ms_dwarf_find_member(Dwarf_Die *type, const char *name, size_t len, Dwarf_Die *ret_member)
{
	Dwarf_Die die;

	if (dwarf_child(type, &die) != 0)
		return false;
	do {
		const char *found = dwarf_tag(&die) == DW_TAG_member ? dwarf_diename(&die) : NULL;

		if (found && strlen(found) == len && !memcmp(found, name, len)) {
			*ret_member = die;
			return true;
		}
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

bool ms_dwarf_type_of(Dwarf_Die *die, Dwarf_Die *ret_type)
{
	Dwarf_Die at = *die;

	for (int i = 0; i < TYPEDEFS_MAX; i++) {
		Dwarf_Attribute attr;
		Dwarf_Die type;

		if (!dwarf_attr(&at, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &type))
			return false;
		if (dwarf_tag(&type) != DW_TAG_typedef) {
			*ret_type = type;
			return true;
		}
		at = type;
	}
	return false;
}

bool ms_dwarf_number_of(Dwarf_Die *die, unsigned name, uint64_t *ret_number)
{
	Dwarf_Attribute attr;
	Dwarf_Word word;

	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &word) != 0)
		return false;
	*ret_number = word;
	return true;
}

bool ms_dwarf_follow(Dwarf_Die *type, const char *path, size_t len, uint64_t *ret_offset,
		     Dwarf_Die *ret_member)
{
	Dwarf_Die at = *type, member;
	uint64_t offset = 0;

	for (;;) {
		const char *dot = memchr(path, '.', len);
		size_t part = dot ? (size_t)(dot - path) : len;
		uint64_t inner;

		if (!ms_dwarf_find_member(&at, path, part, &member) ||
		    !ms_dwarf_number_of(&member, DW_AT_data_member_location, &inner) ||
		    inner > OFFSET_MAX)
			return false;
		offset += inner;
		if (!dot)
			break;
		if (!ms_dwarf_type_of(&member, &at))
			return false;
		path += part + 1;
		len -= part + 1;
	}
	*ret_offset = offset;
	*ret_member = member;
	return true;
}

bool ms_dwarf_read_data(const struct ms_dwarf_file *file, uint64_t addr, void *buf, size_t size)
{
	size_t count;

	if (elf_getphdrnum(file->elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count && i < UINT16_MAX; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(file->elf, (int)i, &phdr))
			return false;
		if (phdr.p_type != PT_LOAD || phdr.p_filesz > UINT64_MAX - phdr.p_vaddr ||
		    !ms_range_holds(phdr.p_vaddr, phdr.p_vaddr + phdr.p_filesz, addr, size))
			continue;
		uint64_t at = phdr.p_offset + (addr - phdr.p_vaddr);

		return at <= INT64_MAX && pread(file->fd, buf, size, (off_t)at) == (ssize_t)size;
	}
	return false;
}

/** An address that the location names by its place in .debug_addr. */
static bool indexed_address(Dwarf_Attribute *location, uint64_t *ret_addr)
{
	Dwarf_Attribute address;
	Dwarf_Op *ops;
	size_t count;

	return dwarf_getlocation(location, &ops, &count) == 0 && count == 1 &&
	       dwarf_getlocation_attr(location, ops, &address) == 0 &&
	       dwarf_formaddr(&address, ret_addr) == 0;
}

bool ms_dwarf_address_of(Dwarf_Die *die, uint64_t *ret_addr)
{
	Dwarf_Attribute attr;
	Dwarf_Block block;

	if (!dwarf_attr(die, DW_AT_location, &attr) || dwarf_formblock(&attr, &block) != 0 ||
	    !block.length)
		return false;
	if (block.data[0] == DW_OP_addrx)
		return indexed_address(&attr, ret_addr);
	if (block.length != 1 + sizeof(uint64_t) || block.data[0] != DW_OP_addr)
		return false;
	*ret_addr = ms_load_u64(block.data + 1);
	return true;
}

static struct ms_error *read_arch(Elf *elf, enum ms_arch *ret_arch)
{
	GElf_Ehdr ehdr;

	if (!gelf_getehdr(elf, &ehdr))
		return ms_error_new(MS_ERR_UNSUPPORTED, "not an ELF file");
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_ident[EI_DATA] != ELFDATA2LSB)
		return ms_error_new(MS_ERR_UNSUPPORTED, "not a 64-bit little-endian ELF file");
	switch (ehdr.e_machine) {
	case EM_X86_64:
		*ret_arch = MS_ARCH_AMD64;
		return NULL;
	case EM_AARCH64:
		*ret_arch = MS_ARCH_ARM64;
		return NULL;
	default:
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "ELF machine %u: only amd64 and arm64 are known",
				    (unsigned)ehdr.e_machine);
	}
}

/** Bytes of a section when it is unpacked. */
static uint64_t unpacked_bytes(int fd, const GElf_Shdr *section)
{
	uint8_t head[sizeof(Elf64_Chdr)];

	if (section->sh_type == SHT_NOBITS)
		return 0;
	if (section->sh_offset > INT64_MAX || section->sh_size < sizeof(head) ||
	    pread(fd, head, sizeof(head), (off_t)section->sh_offset) != sizeof(head))
		return section->sh_size;
	if (section->sh_flags & SHF_COMPRESSED)
		return ms_load_u64(head + offsetof(Elf64_Chdr, ch_size));
	if (!memcmp(head, "ZLIB", 4)) // The older form, named .zdebug.
		return be64toh(ms_load_u64(head + 4));
	return section->sh_size;
}

/** Whether a debug section is one that entries are made of. */
static bool is_of_entries(const char *name)
{
	static const char *const names[] = {
		"info", "abbrev", "addr", "str", "line_str", "str_offsets",
	};
	size_t head = strncmp(name, ".z", 2) != 0 ? 1 : 2;

	for (size_t i = 0; i < MS_ARRAY_SIZE(names); i++) {
		if (!strncmp(name + head, "debug_", 6) && !strcmp(name + head + 6, names[i]))
			return true;
	}
	return false;
}

/**
 * libdw unpacks every debug section when it opens a file.  Lines, ranges and frames are over half
 * of them, and nobody asks for those: hide them; and refuse what would fill the memory.
 */
static struct ms_error *choose_sections(int fd, Elf *elf)
{
	uint64_t bytes = 0;
	int count = 0;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return ms_error_new(MS_ERR_UNSUPPORTED, "no section names");
	for (Elf_Scn *at = elf_nextscn(elf, NULL); at; at = elf_nextscn(elf, at)) {
		GElf_Shdr section;

		if (++count > SECTIONS_MAX || !gelf_getshdr(at, &section))
			return ms_error_new(MS_ERR_UNSUPPORTED, "damaged section headers");
		const char *name = elf_strptr(elf, names, section.sh_name);

		if (!name || !strstr(name, "debug_"))
			continue;
		if (!is_of_entries(name)) {
			section.sh_type = SHT_NOBITS;
			if (!gelf_update_shdr(at, &section))
				return ms_error_no_memory();
		}
		uint64_t more = unpacked_bytes(fd, &section);

		if (more > UNPACKED_BYTES_MAX - bytes)
			return ms_error_new(MS_ERR_LIMIT, "its sections unpack to more than %d MiB",
					    UNPACKED_BYTES_MAX >> 20);
		bytes += more;
	}
	return NULL;
}

/**
 * libdw takes names and numbers at the very end of .debug_info without asking whether all of them
 * is there.  It goes by the pointer in this descriptor from here on: lead it to a copy that has
 * zeros behind it.
 */
static struct ms_error *guard_info(struct ms_dwarf_file *file)
{
	size_t names;

	if (elf_getshdrstrndx(file->elf, &names) != 0)
		return ms_error_new(MS_ERR_UNSUPPORTED, "no section names");
	for (Elf_Scn *at = elf_nextscn(file->elf, NULL); at; at = elf_nextscn(file->elf, at)) {
		GElf_Shdr section;
		const char *name = gelf_getshdr(at, &section)
				       ? elf_strptr(file->elf, names, section.sh_name)
				       : NULL;
		Elf_Data *data;

		if (!name ||
		    (strcmp(name, ".debug_info") != 0 && strcmp(name, ".zdebug_info") != 0))
			continue;
		data = elf_getdata(at, NULL);
		if (file->info || !data || !data->d_buf)
			return ms_error_new(MS_ERR_UNSUPPORTED, "damaged section headers");
		file->info = calloc(1, data->d_size + GUARD_BYTES);
		if (!file->info)
			return ms_error_no_memory();
		memcpy(file->info, data->d_buf, data->d_size);
		data->d_buf = file->info;
	}
	return NULL;
}

static struct ms_error *open_both(int fd, struct ms_dwarf_file *file)
{
	elf_version(EV_CURRENT);
	file->fd = fd;
	file->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!file->elf)
		return ms_error_new(MS_ERR_UNSUPPORTED, "not an ELF file");
	struct ms_error *err = read_arch(file->elf, &file->arch);
	if (!err)
		err = choose_sections(fd, file->elf);
	if (err)
		return err;
	file->dwarf = dwarf_begin_elf(file->elf, DWARF_C_READ, NULL);
	if (!file->dwarf)
		return ms_error_new(MS_ERR_UNSUPPORTED, "no DWARF (built with -w, or stripped)");
	return guard_info(file);
}

struct ms_error *ms_dwarf_file_open(int fd, struct ms_dwarf_file *ret_file)
{
	struct ms_dwarf_file file = { 0 };
	struct ms_error *err = open_both(fd, &file);

	if (err)
		ms_dwarf_file_close(&file);
	else
		*ret_file = file;
	return err;
}

void ms_dwarf_file_close(struct ms_dwarf_file *file)
{
	dwarf_end(file->dwarf);
	elf_end(file->elf);
	free(file->info);
	*file = (struct ms_dwarf_file){ 0 };
}
