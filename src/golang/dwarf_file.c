// dwarf_file.c - opening a binary's DWARF, and asking single entries of it.
//
// The file is read with pread, not mapped, so a file that shrinks under us is an error and not a
// signal.  Nothing in it is believed: libdw checks lengths and moves forward only; typedef chains
// and offsets are bounded here.  libdw would unpack every debug section when it opens a file, so it
// is given one in memory that has only those asked for (image/debug_image.h).
#include "golang/dwarf_file.h"

#include <dwarf.h>
#include <gelf.h>
#include <unistd.h>

enum {
	TYPEDEFS_MAX = 16,
	OFFSET_MAX = 1 << 24, // No struct of the runtime is that large.
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

static struct ms_error *open_both(int fd, struct ms_dwarf_file *file)
{
	elf_version(EV_CURRENT);
	file->fd = fd;
	file->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!file->elf)
		return ms_error_new(MS_ERR_UNSUPPORTED, "not an ELF file");
	struct ms_error *err = read_arch(file->elf, &file->arch);
	if (!err)
		err = ms_debug_image_load(fd, &file->image);
	if (err)
		return err;
	file->sections = elf_memory((char *)file->image.bytes, file->image.size);
	if (file->sections)
		file->dwarf = dwarf_begin_elf(file->sections, DWARF_C_READ, NULL);
	if (!file->dwarf)
		return ms_error_new(MS_ERR_UNSUPPORTED, "its debug information is damaged");
	return NULL;
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
	elf_end(file->sections);
	elf_end(file->elf);
	ms_debug_image_deinit(&file->image);
	*file = (struct ms_dwarf_file){ 0 };
}
