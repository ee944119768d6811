// fake_core.c - headers, notes, then pages.
#include "tests/support/fake_core.h"

#include <elf.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	BUILD_ID_BYTES = 20,
	HEADERS = 6,
	NOTES_AT = 1024,
	PRSTATUS_BYTES = 336,
	PRPSINFO_BYTES = 136
};

static void ehdr(uint8_t *at, Elf64_Half type, Elf64_Half headers)
{
	const Elf64_Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB,
					    EV_CURRENT },
			       .e_type = type,
			       .e_machine = EM_X86_64,
			       .e_version = EV_CURRENT,
			       .e_entry = type == ET_EXEC ? FAKE_CORE_EXE + 0x800 : 0,
			       .e_phoff = sizeof(h),
			       .e_ehsize = sizeof(h),
			       .e_phentsize = sizeof(Elf64_Phdr),
			       .e_phnum = headers };

	memcpy(at, &h, sizeof(h));
}

static void phdr(uint8_t *file, unsigned index, const Elf64_Phdr *p)
{
	memcpy(file + sizeof(Elf64_Ehdr) + index * sizeof(*p), p, sizeof(*p));
}

static size_t note(uint8_t *at, const char *name, uint32_t type, const void *desc, uint32_t size)
{
	const uint32_t head[3] = { (uint32_t)strlen(name) + 1, size, type };
	size_t name_bytes = (size_t)ms_round_up(head[0], 4);

	memcpy(at, head, sizeof(head));
	memcpy(at + sizeof(head), name, head[0]);
	memcpy(at + sizeof(head) + name_bytes, desc, size);
	return sizeof(head) + name_bytes + (size_t)ms_round_up(size, 4);
}

static void make_exe(struct fake_core *f)
{
	uint8_t id[BUILD_ID_BYTES];
	const Elf64_Phdr load = { .p_type = PT_LOAD,
				  .p_flags = PF_R | PF_X,
				  .p_vaddr = FAKE_CORE_EXE,
				  .p_filesz = sizeof(f->exe),
				  .p_memsz = sizeof(f->exe),
				  .p_align = FAKE_CORE_PAGE };
	Elf64_Phdr notes = {
		.p_type = PT_NOTE, .p_flags = PF_R, .p_offset = 512, .p_vaddr = FAKE_CORE_EXE + 512
	};

	for (size_t i = 0; i < sizeof(f->exe); i++)
		f->exe[i] = (uint8_t)(i * 7 + i / 256);
	memset(id, 0x5a, sizeof(id));
	ehdr(f->exe, ET_EXEC, 2);
	notes.p_filesz = notes.p_memsz = note(f->exe + 512, "GNU", NT_GNU_BUILD_ID, id, sizeof(id));
	phdr(f->exe, 0, &load);
	phdr(f->exe, 1, &notes);
}

static size_t make_notes(struct fake_core *f, uint8_t *at, const char *path)
{
	uint8_t status[PRSTATUS_BYTES] = { [12] = FAKE_CORE_SIGNAL, [32] = FAKE_CORE_THREAD };
	uint8_t info[PRPSINFO_BYTES] = { [24] = FAKE_CORE_PID };
	const uint64_t auxv[] = { AT_PHDR,  FAKE_CORE_EXE + sizeof(Elf64_Ehdr),
				  AT_ENTRY, FAKE_CORE_EXE + 0x800,
				  AT_NULL,  0 };
	uint64_t registers[27] = { [4] = FAKE_CORE_HEAP + 0x100,
				   [16] = FAKE_CORE_EXE + 0x900,
				   [19] = FAKE_CORE_HEAP + 0x80 };
	struct {
		uint64_t count, page, start, end, offset;
		char path[64];
	} files = { 1, FAKE_CORE_PAGE, FAKE_CORE_EXE, FAKE_CORE_EXE + sizeof(f->exe), 0, "" };
	size_t size;

	memcpy(status + 112, registers, sizeof(registers));
	memcpy(info + 40, "service", 8);
	snprintf(files.path, sizeof(files.path), "%s", path);
	size = note(at, "CORE", NT_PRSTATUS, status, sizeof(status));
	size += note(at + size, "CORE", NT_PRPSINFO, info, sizeof(info));
	size += note(at + size, "CORE", NT_AUXV, auxv, sizeof(auxv));
	size += note(at + size, "LINUX", NT_PRSTATUS, "other",
		     6); // Of somebody else: not ours to read.
	return size + note(at + size, "CORE", NT_FILE, &files, (uint32_t)(40 + strlen(path) + 1));
}

static void make_core(struct fake_core *f, const char *path)
{
	const struct {
		ms_addr at;
		uint64_t pages, pages_there;
		Elf64_Word flags;
	} parts[] = { { FAKE_CORE_EXE, 1, 1, PF_R | PF_X },
		      { FAKE_CORE_EXE + FAKE_CORE_PAGE, 1, 0, PF_R },
		      { FAKE_CORE_HEAP, 2, 2, PF_R | PF_W },
		      { FAKE_CORE_HOLE, 1, 0, PF_R | PF_W } };
	Elf64_Phdr notes = { .p_type = PT_NOTE, .p_offset = NOTES_AT };
	uint64_t offset = FAKE_CORE_PAGE;

	memset(f->core, 0, sizeof(f->core));
	ehdr(f->core, ET_CORE, (Elf64_Half)(1 + MS_ARRAY_SIZE(parts)));
	notes.p_filesz = make_notes(f, f->core + NOTES_AT, path);
	phdr(f->core, 0, &notes);
	for (unsigned i = 0; i < MS_ARRAY_SIZE(parts); i++) {
		const Elf64_Phdr p = { .p_type = PT_LOAD,
				       .p_flags = parts[i].flags,
				       .p_offset = offset,
				       .p_vaddr = parts[i].at,
				       .p_filesz = parts[i].pages_there * FAKE_CORE_PAGE,
				       .p_memsz = parts[i].pages * FAKE_CORE_PAGE,
				       .p_align = FAKE_CORE_PAGE };

		phdr(f->core, i + 1, &p);
		for (uint64_t k = 0; k < p.p_filesz; k++)
			f->core[offset + k] = i == 0 ? f->exe[k] : (uint8_t)(k * 3 + k / 256);
		offset += p.p_filesz;
	}
	f->core_bytes = offset;
}

void fake_core_leave_nothing_out(struct fake_core *f)
{
	Elf64_Phdr second;
	uint8_t *at = f->core + sizeof(Elf64_Ehdr) + 2 * sizeof(second);

	memcpy(&second, at, sizeof(second));
	second.p_offset = f->core_bytes;
	second.p_filesz = FAKE_CORE_PAGE;
	memcpy(at, &second, sizeof(second));
	memcpy(f->core + f->core_bytes, f->exe + FAKE_CORE_PAGE, FAKE_CORE_PAGE);
	f->core_bytes += FAKE_CORE_PAGE;
	fake_core_write(f);
}

void fake_core_add_data(struct fake_core *f)
{
	const Elf64_Half headers = 3;
	const Elf64_Phdr data = { .p_type = PT_LOAD,
				  .p_flags = PF_R | PF_W,
				  .p_offset = sizeof(f->exe),
				  .p_vaddr = FAKE_CORE_HEAP,
				  .p_filesz = FAKE_CORE_PAGE,
				  .p_memsz = FAKE_CORE_PAGE };

	phdr(f->exe, 2, &data);
	memcpy(f->exe + offsetof(Elf64_Ehdr, e_phnum), &headers, sizeof(headers));
	memcpy(f->core + FAKE_CORE_PAGE, f->exe, FAKE_CORE_PAGE);
	fake_core_write(f);
}

void fake_core_as_qemu(struct fake_core *f)
{
	const uint32_t files = NT_FILE, none = 0;
	uint8_t *headers = f->core + sizeof(Elf64_Ehdr);
	uint8_t *list =
	    memmem(f->core + NOTES_AT, FAKE_CORE_PAGE - NOTES_AT, &files, sizeof(files));
	Elf64_Phdr first, second;

	if (list)
		memcpy(list, &none, sizeof(none));
	memcpy(&first, headers + sizeof(first), sizeof(first));
	memcpy(&second, headers + 2 * sizeof(second), sizeof(second));
	second.p_offset = first.p_offset;
	second.p_filesz = first.p_filesz;
	first.p_filesz = 0;
	memcpy(headers + sizeof(first), &first, sizeof(first));
	memcpy(headers + 2 * sizeof(second), &second, sizeof(second));
	memcpy(f->core + second.p_offset, f->exe + FAKE_CORE_PAGE, FAKE_CORE_PAGE);
	fake_core_write(f);
}

void fake_core_write(struct fake_core *f)
{
	if (ftruncate(f->exe_fd, 0) != 0 || ftruncate(f->core_fd, 0) != 0 ||
	    pwrite(f->exe_fd, f->exe, sizeof(f->exe), 0) != (ssize_t)sizeof(f->exe) ||
	    pwrite(f->core_fd, f->core, f->core_bytes, 0) != (ssize_t)f->core_bytes)
		perror("fake core");
}

void fake_core_init(struct fake_core *f, const char *exe_path)
{
	f->exe_fd = memfd_create("program", MFD_CLOEXEC);
	f->core_fd = memfd_create("core", MFD_CLOEXEC);
	snprintf(f->exe_path, sizeof(f->exe_path), "/proc/self/fd/%d", f->exe_fd);
	snprintf(f->core_path, sizeof(f->core_path), "/proc/self/fd/%d", f->core_fd);
	make_exe(f);
	make_core(f, exe_path ? exe_path : f->exe_path);
	fake_core_write(f);
}

void fake_core_deinit(struct fake_core *f)
{
	close(f->exe_fd);
	close(f->core_fd);
}
