// core.c - memory that was written to a file, and the program that it was of.
//
//	read  -->  segment of the core that has these bytes   -->  the core
//	      -->  mapping of the executable                  -->  the executable
//	      -->  anything else                              -->  FAULT
//
// The kernel leaves clean pages of files out, all but the first page of an ELF file; gcore leaves
// mappings out altogether that cannot be written; dlv leaves nothing out.  Which file is which is
// in NT_FILE; a core without it is taken to have the program where its program headers are.
//
// Where the program is not here, what the core has of it stands in: headers and data.
#include "target/core.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	EXE_HEADERS_MAX = 64,
	NOTE_BYTES_MAX = 4096,
	COMPARED_MAX = 256,      // Pages of a segment.
	EXE_BYTES_MAX = 1 << 30, // Of one that is put together.
	COPY_BYTES = 1 << 20,
};

struct core {
	struct ms_target target;
	struct ms_core_file file;
	struct ms_regions regions;
	const struct ms_region *last_region; // Neighbouring reads share it.
	struct ms_core_info info;
	char exe_path[PATH_MAX]; // As it was mapped.
	char missing_why[PATH_MAX + 256];
	int exe_fd;
};

/** An ELF program's headers, from a file or from memory. */
struct headers {
	Elf64_Ehdr elf;
	Elf64_Phdr programs[EXE_HEADERS_MAX];
	size_t count;
	ms_addr bias; // Runtime address minus p_vaddr, from memory.
};

static struct core *core_of(struct ms_target *t)
{
	return (struct core *)t;
}

// --- The target. ---

static bool exe_bytes(const struct core *c, uint64_t offset, void *buf, size_t size)
{
	size_t done = 0;

	if (c->exe_fd < 0)
		return false;
	while (done < size) {
		ssize_t n =
		    pread(c->exe_fd, (char *)buf + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

static const struct ms_region *region_at(struct core *c, ms_addr addr)
{
	if (!c->last_region || addr < c->last_region->start || addr >= c->last_region->end)
		c->last_region = ms_regions_find(&c->regions, addr);
	return c->last_region;
}

/** A part of a read that comes from one place. */
struct piece {
	const struct ms_core_segment *segment; // NULL: of the executable ...
	uint64_t exe_offset;                   // ... there.
	size_t size;
};

/** The first piece of [addr, addr + size); false: nobody has it. */
static bool first_piece(struct core *c, ms_addr addr, size_t size, struct piece *ret)
{
	const struct ms_region *region = region_at(c, addr);
	const struct ms_core_segment *s = ms_core_segment_at(&c->file, addr);

	if (!region || region->kind == MS_REGION_OTHER)
		return false;
	*ret = (struct piece){ .size = (size_t)ms_min_u64(size, region->end - addr) };
	if (s && addr - s->start < s->file_bytes) {
		ret->segment = s;
		ret->size = (size_t)ms_min_u64(ret->size, s->file_bytes - (addr - s->start));
		return true;
	}
	if (s && addr - s->start - s->file_bytes < s->lost_bytes)
		return false; // What was written there is not what the program's file has.
	ret->exe_offset = region->file_offset + (addr - region->start);
	return region->kind == MS_REGION_EXE && c->exe_fd >= 0 && !c->target.lacks_program &&
	       ret->exe_offset <= c->target.exe_size &&
	       ret->size <= c->target.exe_size - ret->exe_offset;
}

static bool piece_read(const struct core *c, const struct piece *piece, ms_addr addr, uint8_t *buf)
{
	return piece->segment
		   ? ms_core_segment_read(&c->file, piece->segment, addr, buf, piece->size)
		   : exe_bytes(c, piece->exe_offset, buf, piece->size);
}

/** Whole or not at all: what is in several places is asked for first. */
static bool read_one(struct core *c, ms_addr addr, uint8_t *buf, size_t size)
{
	struct piece piece;
	size_t done;

	if (!first_piece(c, addr, size, &piece))
		return false;
	if (piece.size == size)
		return piece_read(c, &piece, addr, buf);
	for (done = piece.size; done < size; done += piece.size) {
		if (!first_piece(c, addr + done, size - done, &piece))
			return false;
	}
	for (done = 0; done < size; done += piece.size) {
		if (!first_piece(c, addr + done, size - done, &piece) ||
		    !piece_read(c, &piece, addr + done, buf + done))
			return false;
	}
	return true;
}

static struct ms_error *core_read_many(struct ms_target *t, struct ms_read *reads, size_t count)
{
	struct core *c = core_of(t);

	for (size_t i = 0; i < count; i++) {
		struct ms_read *r = &reads[i];
		bool plausible = r->size && r->size <= MS_READ_BYTES_MAX &&
				 r->addr <= UINT64_MAX - MS_READ_BYTES_MAX;

		r->status = MS_READ_FAULT;
		if (!plausible || !read_one(c, r->addr, r->buf, r->size))
			continue;
		r->status = MS_READ_OK;
		t->cost.reads++;
		t->cost.read_bytes += r->size;
	}
	return NULL;
}

static struct ms_error *core_regions(struct ms_target *t, struct ms_regions *ret_regions)
{
	return ms_regions_copy(&core_of(t)->regions, ret_regions);
}

/** Whether the file has these bytes: one that was put together of what was there has holes. */
static bool exe_has(const struct core *c, uint64_t offset, size_t size)
{
	if (offset > c->target.exe_size || size > c->target.exe_size - offset)
		return false;
	return !c->target.lacks_program || !size ||
	       lseek(c->exe_fd, (off_t)offset, SEEK_HOLE) >= (off_t)(offset + size);
}

static struct ms_error *core_exe_read(struct ms_target *t, uint64_t offset, void *buf, size_t size)
{
	if (!exe_has(core_of(t), offset, size) || !exe_bytes(core_of(t), offset, buf, size))
		return ms_error_new(MS_ERR_FAULT, "the executable has no %zu bytes at %" PRIu64,
				    size, offset);
	return NULL;
}

static int core_exe_fd(struct ms_target *t)
{
	return core_of(t)->exe_fd;
}

static struct ms_error *core_check(struct ms_target *t)
{
	(void)t;
	return NULL; // What died does not go away.
}

static const struct ms_thread_state *core_threads(struct ms_target *t, size_t *ret_count)
{
	static const struct ms_thread_state none; // Of one that lost its notes.
	const struct core *c = core_of(t);

	*ret_count = c->file.threads.count;
	return c->file.threads.count ? c->file.threads.items : &none;
}

static void core_destroy(struct ms_target *t)
{
	struct core *c = core_of(t);

	if (c->exe_fd >= 0)
		close(c->exe_fd);
	ms_regions_deinit(&c->regions);
	ms_core_file_deinit(&c->file);
	free(c);
}

static const struct ms_target_ops core_ops = {
	.kind = "core",
	.read_many = core_read_many,
	.regions = core_regions,
	.exe_read = core_exe_read,
	.exe_fd = core_exe_fd,
	.check = core_check,
	.threads = core_threads,
	.destroy = core_destroy,
};

struct ms_error *ms_core_error_if_cut(const struct ms_core_file *file, struct ms_error *err)
{
	if (!file->missing_bytes)
		return err;
	return ms_error_wrap(
	    err, "it is cut off, its last %" PRIu64 " bytes of %" PRIu64 " are missing, and",
	    file->missing_bytes, file->bytes + file->missing_bytes);
}

const struct ms_core_info *ms_core_info(const struct ms_target *target)
{
	return target && target->ops == &core_ops ? &((const struct core *)target)->info : NULL;
}

// --- Headers of the program. ---

typedef bool (*read_fn)(const struct core *c, int fd, uint64_t at, void *buf, size_t size);

static bool read_file(const struct core *c, int fd, uint64_t at, void *buf, size_t size)
{
	(void)c;
	return pread(fd, buf, size, (off_t)at) == (ssize_t)size;
}

static bool read_memory(const struct core *c, int fd, uint64_t at, void *buf, size_t size)
{
	(void)fd;
	return ms_core_memory(&c->file, at, buf, size);
}

/** @p start is an offset in a file, or an address. */
static bool headers_read(const struct core *c, read_fn read, int fd, uint64_t start,
			 struct headers *ret)
{
	*ret = (struct headers){ .bias = 0 };
	if (!read(c, fd, start, &ret->elf, sizeof(ret->elf)) ||
	    memcmp(ret->elf.e_ident, ELFMAG, SELFMAG) != 0 ||
	    ret->elf.e_ident[EI_CLASS] != ELFCLASS64 || ret->elf.e_ident[EI_DATA] != ELFDATA2LSB ||
	    ret->elf.e_phentsize != sizeof(Elf64_Phdr) || !ret->elf.e_phnum ||
	    ret->elf.e_phnum > EXE_HEADERS_MAX || ret->elf.e_phoff > 1 << 20)
		return false;
	ret->count = ret->elf.e_phnum;
	return read(c, fd, start + ret->elf.e_phoff, ret->programs,
		    ret->count * sizeof(*ret->programs));
}

/** Its first part, which has the headers; NULL where there is none. */
static const Elf64_Phdr *first_part(const struct headers *h)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->programs[i].p_type == PT_LOAD && h->programs[i].p_offset == 0)
			return &h->programs[i];
	}
	return NULL;
}

/** Of the program in memory, from where the kernel said that its program headers are. */
static bool headers_in_memory(const struct core *c, struct headers *ret)
{
	ms_addr start = c->file.program_headers - sizeof(Elf64_Ehdr);
	const Elf64_Phdr *first;

	if (c->file.program_headers < sizeof(Elf64_Ehdr) ||
	    !headers_read(c, read_memory, -1, start, ret) || ret->elf.e_phoff != sizeof(Elf64_Ehdr))
		return false;
	first = first_part(ret);
	ret->bias = first ? start - first->p_vaddr : 0;
	return first != NULL;
}

/**
 * Of a core that was cut off and lost its notes, which gcore writes last: where a program that has
 * one place for good begins, so that its headers are there.  False: nowhere, or not once.
 */
static bool program_begins(const struct core *c, ms_addr *ret_headers)
{
	size_t found = 0;

	for (size_t i = 0; i < c->file.segments.count; i++) {
		ms_addr start = c->file.segments.items[i].start;
		const Elf64_Phdr *first;
		struct headers h;

		if (!headers_read(c, read_memory, -1, start, &h) || h.elf.e_type != ET_EXEC)
			continue;
		first = first_part(&h);
		if (first && first->p_vaddr == start && !found++)
			*ret_headers = start + sizeof(Elf64_Ehdr);
	}
	return found == 1;
}

/**
 * Of a core that has neither NT_FILE nor the first page of the program, as qemu writes: where the
 * headers of its file put it.  False where that is not where the kernel put it.
 */
static bool headers_place(const struct core *c, struct headers *file)
{
	const Elf64_Phdr *first = first_part(file);

	if (c->file.mappings.count || !c->file.program_headers || !first)
		return false;
	file->bias = c->file.program_headers - file->elf.e_phoff - first->p_vaddr;
	return c->file.entry == file->elf.e_entry + file->bias;
}

/** Whether a part that nobody can have written is the same in the core, as far as that has it. */
static bool part_differs(const struct core *c, const struct headers *file, const Elf64_Phdr *p,
			 int fd, enum ms_core_exe *is)
{
	uint8_t there[NOTE_BYTES_MAX], here[NOTE_BYTES_MAX];
	uint64_t end = ms_min_u64(p->p_filesz, COMPARED_MAX * sizeof(here));

	for (uint64_t at = 0; at + sizeof(here) <= end; at += sizeof(here)) {
		if (!ms_core_memory(&c->file, file->bias + p->p_vaddr + at, there, sizeof(there)))
			continue;
		*is = MS_CORE_EXE_CHECKED;
		if (!read_file(c, fd, p->p_offset + at, here, sizeof(here)) ||
		    memcmp(here, there, sizeof(here)) != 0)
			return true;
	}
	return false;
}

static enum ms_core_exe compare_constants(const struct core *c, struct headers *file, int fd,
					  bool *ret_differs)
{
	enum ms_core_exe is = MS_CORE_EXE_UNCHECKED;

	*ret_differs = !headers_place(c, file);
	for (size_t i = 0; i < file->count && !*ret_differs; i++) {
		const Elf64_Phdr *p = &file->programs[i];

		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W))
			*ret_differs = part_differs(c, file, p, fd, &is);
	}
	return is;
}

/** Where notes of the file are not the same in memory, it is another program. */
static enum ms_core_exe compare(const struct core *c, const struct headers *memory, int fd,
				bool *ret_differs)
{
	enum ms_core_exe is = MS_CORE_EXE_UNCHECKED;
	struct headers file;

	*ret_differs = !headers_read(c, read_file, fd, 0, &file) ||
		       (memory && (file.count != memory->count ||
				   memcmp(file.programs, memory->programs,
					  file.count * sizeof(*file.programs)) != 0));
	if (!*ret_differs && !memory && !c->file.mappings.count)
		return compare_constants(c, &file, fd, ret_differs);
	if (*ret_differs || !memory)
		return is;
	for (size_t i = 0; i < file.count && !*ret_differs; i++) {
		const Elf64_Phdr *p = &file.programs[i];
		uint8_t there[NOTE_BYTES_MAX], here[NOTE_BYTES_MAX];

		if (p->p_type != PT_NOTE || !p->p_filesz || p->p_filesz > NOTE_BYTES_MAX ||
		    !ms_core_memory(&c->file, memory->bias + p->p_vaddr, there, p->p_filesz))
			continue;
		is = MS_CORE_EXE_CHECKED;
		*ret_differs = !read_file(c, fd, p->p_offset, here, p->p_filesz) ||
			       memcmp(here, there, p->p_filesz) != 0;
	}
	return is;
}

// --- The program's file. ---

static const struct ms_core_mapping *mapping_at(const struct core *c, ms_addr addr)
{
	for (size_t i = 0; i < c->file.mappings.count; i++) {
		const struct ms_core_mapping *m = &c->file.mappings.items[i];

		if (addr >= m->start && addr < m->end)
			return m;
	}
	return NULL;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat file;

	if (fd >= 0 && (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))) {
		close(fd);
		fd = -1;
		errno = EINVAL;
	}
	return fd;
}

static void take_file(struct core *c, int fd, enum ms_core_exe is)
{
	struct stat file = { 0 };

	(void)fstat(fd, &file);
	c->exe_fd = fd;
	c->target.exe_size = (uint64_t)file.st_size;
	c->target.lacks_program = is == MS_CORE_EXE_MISSING;
	c->info.exe_is = is;
}

/** Where it was, and beside the core.  True: one of them is the program. */
static bool look_for_file(struct core *c, const char *path, const char *sysroot,
			  const struct headers *memory, bool *ret_met_another)
{
	const char *slash = strrchr(c->exe_path, '/');
	size_t size = strlen(c->exe_path), folder = 0;
	char tried[2][2 * PATH_MAX];

	if (!size)
		return false;
	if (size > 10 && !strcmp(c->exe_path + size - 10, " (deleted)"))
		size -= 10;
	if (strrchr(path, '/'))
		folder = (size_t)(strrchr(path, '/') + 1 - path);
	snprintf(tried[0], sizeof(tried[0]), "%s%.*s", sysroot ? sysroot : "", (int)size,
		 c->exe_path);
	snprintf(tried[1], sizeof(tried[1]), "%.*s%.*s", (int)folder, path,
		 (int)(c->exe_path + size - (slash ? slash + 1 : c->exe_path)),
		 slash ? slash + 1 : c->exe_path);
	for (size_t i = 0; i < 2; i++) {
		int fd = open_file(tried[i]);
		enum ms_core_exe is;
		bool differs;

		if (fd < 0)
			continue;
		is = compare(c, memory, fd, &differs);
		if (!differs) {
			take_file(c, fd, is);
			return true;
		}
		close(fd);
		*ret_met_another = true;
	}
	return false;
}

static bool copy_segment(const struct core *c, const struct headers *memory, const Elf64_Phdr *p,
			 int fd, uint8_t *buf)
{
	for (uint64_t done = 0; done < p->p_filesz;) {
		size_t part = (size_t)ms_min_u64(p->p_filesz - done, COPY_BYTES);

		if (!ms_core_memory(&c->file, memory->bias + p->p_vaddr + done, buf, part) ||
		    pwrite(fd, buf, part, (off_t)(p->p_offset + done)) != (ssize_t)part)
			return false;
		done += part;
	}
	return true;
}

/** Headers, without those of sections: they are in no mapping. */
static bool copy_headers(const struct headers *memory, int fd)
{
	Elf64_Ehdr elf = memory->elf;
	size_t size = memory->count * sizeof(*memory->programs);

	elf.e_shoff = 0;
	elf.e_shnum = elf.e_shstrndx = 0;
	return pwrite(fd, memory->programs, size, (off_t)elf.e_phoff) == (ssize_t)size &&
	       pwrite(fd, &elf, sizeof(elf), 0) == (ssize_t)sizeof(elf);
}

/** The program's file as far as it was mapped and the core has it; what was written it must have.
 */
static bool put_together(struct core *c, const struct headers *memory)
{
	MS_AUTO_FREE uint8_t *buf = malloc(COPY_BYTES);
	MS_AUTO_CLOSE int fd = memfd_create("program", MFD_CLOEXEC);
	bool whole = true, has_data = false;
	uint64_t end = 0;

	if (!buf || fd < 0)
		return false;
	for (size_t i = 0; i < memory->count; i++) {
		const Elf64_Phdr *p = &memory->programs[i];

		if (p->p_type != PT_LOAD)
			continue;
		if (p->p_filesz > EXE_BYTES_MAX || p->p_offset > EXE_BYTES_MAX)
			return false;
		end = ms_max_u64(end, p->p_offset + p->p_filesz);
		if (copy_segment(c, memory, p, fd, buf))
			has_data |= (p->p_flags & PF_W) != 0;
		else if (p->p_flags & PF_W)
			return false;
		else
			whole = false;
	}
	if ((!whole && !has_data) || ftruncate(fd, (off_t)end) != 0 || !copy_headers(memory, fd))
		return false;
	take_file(c, fd, whole ? MS_CORE_EXE_OF_MEMORY : MS_CORE_EXE_MISSING);
	fd = -1;
	return true;
}

static struct ms_error *take_named_file(struct core *c, const char *exe,
					const struct headers *memory)
{
	int fd = open_file(exe);
	enum ms_core_exe is;
	bool differs;

	if (fd < 0 && errno == EINVAL)
		return ms_error_new(MS_ERR_IO, "--exe %s is no file", exe);
	if (fd < 0)
		return ms_error_errno(MS_ERR_IO, errno, "--exe %s", exe);
	is = compare(c, memory, fd, &differs);
	if (differs) {
		close(fd);
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "%s is not the program that it is of: its build id is another "
				    "one; give that program's file by --exe",
				    exe);
	}
	take_file(c, fd, is);
	return NULL;
}

static void say_missing(struct core *c, bool met_another)
{
	const char *name = c->info.exe ? c->info.exe : "the program";

	if (met_another)
		snprintf(c->missing_why, sizeof(c->missing_why),
			 "it is of %s, and what is there now is another program (its build id is "
			 "another one); give the old file by --exe FILE",
			 name);
	else
		snprintf(c->missing_why, sizeof(c->missing_why),
			 "its writer left the pages of %s out, and that program is not here: "
			 "without it no type and no line is known; give it by --exe FILE, or the "
			 "folder that its path begins in by --sysroot FOLDER",
			 name);
	c->info.missing_why = c->missing_why;
}

static struct ms_error *find_exe(struct core *c, const char *path, const struct ms_core_options *o)
{
	const struct ms_core_mapping *mapped =
	    mapping_at(c, c->file.program_headers ? c->file.program_headers : c->file.entry);
	struct headers found, *memory;
	bool met_another = false;

	if (!c->file.program_headers && c->target.is_cut)
		(void)program_begins(c, &c->file.program_headers);
	memory = headers_in_memory(c, &found) ? &found : NULL;

	if (mapped) {
		snprintf(c->exe_path, sizeof(c->exe_path), "%s", mapped->path);
		c->info.exe = c->exe_path;
	}
	if (o->exe)
		return take_named_file(c, o->exe, memory);
	if (look_for_file(c, path, o->sysroot, memory, &met_another))
		return NULL;
	if (memory && put_together(c, memory)) {
		if (c->info.exe_is == MS_CORE_EXE_MISSING)
			say_missing(c, met_another);
		return NULL;
	}
	say_missing(c, met_another);
	return ms_error_new(MS_ERR_UNSUPPORTED, "%s", c->missing_why);
}

// --- What is where. ---

static bool is_device(const char *path)
{
	return path[0] != '/' || !strncmp(path, "/dev/", 5) || !strncmp(path, "/memfd:", 7) ||
	       !strncmp(path, "/SYSV", 5);
}

static void take_kind(const struct core *c, const struct ms_core_mapping *m, struct ms_region *r)
{
	r->kind = is_device(m->path)                             ? MS_REGION_OTHER
		  : c->info.exe && !strcmp(m->path, c->info.exe) ? MS_REGION_EXE
								 : MS_REGION_LIBRARY;
	r->file_offset = m->file_offset + (r->start - m->start);
}

/** Without NT_FILE: the parts of the program that its headers in memory tell. */
static void take_program_kind(const struct headers *memory, struct ms_region *r)
{
	for (size_t i = 0; memory && i < memory->count; i++) {
		const Elf64_Phdr *p = &memory->programs[i];
		uint64_t start = (memory->bias + p->p_vaddr) & ~(uint64_t)4095;
		uint64_t end = ms_round_up(memory->bias + p->p_vaddr + p->p_filesz, 4096);

		if (p->p_type != PT_LOAD || r->start < start || r->start >= end)
			continue;
		r->kind = MS_REGION_EXE;
		r->file_offset = (p->p_offset & ~(uint64_t)4095) + (r->start - start);
		return;
	}
}

static int region_compare(const void *a, const void *b)
{
	const struct ms_region *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/** Without NT_FILE: the parts of the program that its writer left out whole. */
static struct ms_error *add_left_out(struct core *c, const struct headers *memory)
{
	size_t known = c->regions.count;

	for (size_t i = 0; i < memory->count && c->exe_fd >= 0; i++) {
		const Elf64_Phdr *p = &memory->programs[i];
		struct ms_region r = {
			.start = (memory->bias + p->p_vaddr) & ~(uint64_t)4095,
			.end = ms_round_up(memory->bias + p->p_vaddr + p->p_filesz, 4096),
			.file_offset = p->p_offset & ~(uint64_t)4095,
			.kind = MS_REGION_EXE,
			.prot = MS_PROT_READ,
		};
		bool meets = p->p_type != PT_LOAD || r.start >= r.end || (p->p_flags & PF_W);

		for (size_t k = 0; k < c->regions.count && !meets; k++)
			meets =
			    c->regions.items[k].start < r.end && r.start < c->regions.items[k].end;
		if (!meets && !ms_vec_push(&c->regions, r))
			return ms_error_no_memory();
	}
	if (c->regions.count > known)
		qsort(c->regions.items, c->regions.count, sizeof(*c->regions.items),
		      region_compare);
	return NULL;
}

/** Segments and mappings side by side: of both lists one is all that is mapped. */
static struct ms_error *make_regions(struct core *c)
{
	const struct ms_core_mapping *m = c->file.mappings.items;
	const struct ms_core_mapping *end = m ? m + c->file.mappings.count : NULL;
	struct headers found, *memory = NULL;

	if (!c->file.mappings.count &&
	    (headers_in_memory(c, &found) ||
	     (c->exe_fd >= 0 && headers_read(c, read_file, c->exe_fd, 0, &found) &&
	      headers_place(c, &found))))
		memory = &found;
	for (size_t i = 0; i <= c->file.segments.count; i++) {
		const struct ms_core_segment *s =
		    i < c->file.segments.count ? &c->file.segments.items[i] : NULL;
		struct ms_region r = { .kind = MS_REGION_ANON };

		for (; m < end && (!s || m->end <= s->start); m++) {
			struct ms_region left_out = { .start = m->start,
						      .end = m->end,
						      .prot = MS_PROT_READ };

			if (c->regions.count &&
			    m->start < c->regions.items[c->regions.count - 1].end)
				continue;
			take_kind(c, m, &left_out);
			if (!ms_vec_push(&c->regions, left_out))
				return ms_error_no_memory();
		}
		if (!s)
			break;
		r.start = s->start;
		r.end = s->end;
		r.prot = s->prot;
		if (m < end && m->start <= s->start)
			take_kind(c, m, &r);
		else
			take_program_kind(memory, &r);
		if (!ms_vec_push(&c->regions, r))
			return ms_error_no_memory();
	}
	return memory ? add_left_out(c, memory) : NULL;
}

struct ms_error *ms_core_open(const char *path, const struct ms_core_options *options,
			      struct ms_target **ret_target)
{
	static const struct ms_core_options defaults;
	struct core *c = calloc(1, sizeof(*c));
	struct ms_error *err;

	if (!c)
		return ms_error_no_memory();
	c->target.ops = &core_ops;
	c->exe_fd = -1;
	c->info.file = &c->file;
	err = ms_core_file_open(path, &c->file);
	c->target.is_cut = c->file.missing_bytes > 0;
	if (!err) {
		err = find_exe(c, path, options ? options : &defaults);
		if (err)
			err = ms_error_wrap(ms_core_error_if_cut(&c->file, err), "core file %s",
					    path);
	}
	if (!err)
		err = make_regions(c);
	if (err) {
		core_destroy(&c->target);
		return err;
	}
	*ret_target = &c->target;
	return NULL;
}
