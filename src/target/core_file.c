// core_file.c - program headers and notes of an ELF core.
//
//	ELF header  ->  program headers  ->  PT_LOAD: memory
//	                                     PT_NOTE: NT_PRSTATUS (a thread), NT_PRPSINFO (the
// process), 	                                              NT_AUXV, NT_FILE (what was mapped)
//
// Over 65,534 mappings are counted in the first section header (PN_XNUM).
#include "target/core_file.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

enum {
	PAGE_BYTES = 4096,
	HEADERS_MAX = 4 << 20,
	HEADERS_AT_ONCE = 1024,
	NOTE_BYTES_MAX = 512 << 20,
	THREADS_MAX = 1 << 20,
	// struct elf_prstatus and elf_prpsinfo of 64-bit Linux.
	PRSTATUS_SIGNAL = 12,
	PRSTATUS_PID = 32,
	PRSTATUS_REGISTERS = 112,
	PRPSINFO_PID = 24,
	PRPSINFO_NAME = 40,
	PRPSINFO_NAME_BYTES = 16,
	AMD64_REGISTERS = 27,
	AMD64_BP = 4,
	AMD64_PC = 16,
	AMD64_SP = 19,
	ARM64_REGISTERS = 34,
	ARM64_BP = 29,
	ARM64_LR = 30,
	ARM64_SP = 31,
	ARM64_PC = 32,
};

/** All of it, or how far it went. */
static size_t read_at(int fd, void *buf, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static bool is_core(const Elf64_Ehdr *h)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) && h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB && h->e_type == ET_CORE;
}

bool ms_core_is(const char *path)
{
	MS_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	Elf64_Ehdr header;

	return fd >= 0 && read_at(fd, &header, sizeof(header), 0) == sizeof(header) &&
	       is_core(&header);
}

// --- Notes. ---

static struct ms_error *note_thread(struct ms_core_file *core, const uint8_t *desc, size_t size)
{
	bool is_amd64 = core->arch == MS_ARCH_AMD64;
	size_t count = is_amd64 ? AMD64_REGISTERS : ARM64_REGISTERS;
	struct ms_thread_state thread = { .register_count = count };

	if (size < PRSTATUS_REGISTERS + count * sizeof(uint64_t) ||
	    core->threads.count >= THREADS_MAX)
		return NULL;
	thread.id = ms_load_u32(desc + PRSTATUS_PID);
	thread.signal = ms_load_u16(desc + PRSTATUS_SIGNAL);
	for (size_t i = 0; i < count; i++)
		thread.registers[i] = ms_load_u64(desc + PRSTATUS_REGISTERS + i * sizeof(uint64_t));
	thread.pc = thread.registers[is_amd64 ? AMD64_PC : ARM64_PC];
	thread.sp = thread.registers[is_amd64 ? AMD64_SP : ARM64_SP];
	thread.bp = thread.registers[is_amd64 ? AMD64_BP : ARM64_BP];
	thread.lr = is_amd64 ? 0 : thread.registers[ARM64_LR];
	return ms_vec_push(&core->threads, thread) ? NULL : ms_error_no_memory();
}

static void note_process(struct ms_core_file *core, const uint8_t *desc, size_t size)
{
	if (size < PRPSINFO_NAME + PRPSINFO_NAME_BYTES)
		return;
	core->pid = ms_load_u32(desc + PRPSINFO_PID);
	memcpy(core->name, desc + PRPSINFO_NAME, PRPSINFO_NAME_BYTES);
}

static void note_auxv(struct ms_core_file *core, const uint8_t *desc, size_t size)
{
	for (size_t at = 0; at + 16 <= size; at += 16) {
		uint64_t type = ms_load_u64(desc + at), value = ms_load_u64(desc + at + 8);

		if (type == AT_PHDR)
			core->program_headers = value;
		else if (type == AT_ENTRY)
			core->entry = value;
	}
}

/** Count, page size, then start, end, page offset of each, then their paths. */
static struct ms_error *note_files(struct ms_core_file *core, const uint8_t *desc, size_t size)
{
	uint64_t count = size >= 16 ? ms_load_u64(desc) : 0;
	uint64_t page = size >= 16 ? ms_load_u64(desc + 8) : 0;
	const char *path, *end;

	if (core->paths || !count || count > (size - 16) / 24 || !page || page > 1 << 24)
		return NULL;
	size -= 16 + count * 24;
	core->paths = malloc(size + 1);
	if (!core->paths)
		return ms_error_no_memory();
	memcpy(core->paths, desc + 16 + count * 24, size);
	core->paths[size] = '\0';
	path = core->paths;
	end = core->paths + size;
	for (uint64_t i = 0; i < count && path < end; i++) {
		const uint8_t *row = desc + 16 + i * 24;
		struct ms_core_mapping m = { .start = ms_load_u64(row),
					     .end = ms_load_u64(row + 8),
					     .path = path };
		uint64_t pages = ms_load_u64(row + 16);
		ms_addr last =
		    core->mappings.count ? core->mappings.items[core->mappings.count - 1].end : 0;

		path += strlen(path) + 1;
		if (m.start >= m.end || m.start < last || (m.start | m.end) % PAGE_BYTES ||
		    pages > UINT64_MAX / 2 / page)
			continue;
		m.file_offset = pages * page;
		if (!ms_vec_push(&core->mappings, m))
			return ms_error_no_memory();
	}
	return NULL;
}

static struct ms_error *note_take(struct ms_core_file *core, uint32_t type, const uint8_t *desc,
				  size_t size)
{
	switch (type) {
	case NT_PRSTATUS:
		return note_thread(core, desc, size);
	case NT_PRPSINFO:
		note_process(core, desc, size);
		return NULL;
	case NT_AUXV:
		note_auxv(core, desc, size);
		return NULL;
	case NT_FILE:
		return note_files(core, desc, size);
	default:
		return NULL;
	}
}

static struct ms_error *read_notes(struct ms_core_file *core, const Elf64_Phdr *p)
{
	MS_AUTO_FREE uint8_t *bytes = NULL;
	struct ms_error *err = NULL;
	size_t size, at = 0;

	if (p->p_filesz > NOTE_BYTES_MAX)
		return ms_error_new(MS_ERR_LIMIT, "its notes are over %d MiB long",
				    NOTE_BYTES_MAX >> 20);
	size = p->p_offset < core->bytes
		   ? (size_t)ms_min_u64(p->p_filesz, core->bytes - p->p_offset)
		   : 0;
	if (!size)
		return NULL;
	bytes = malloc(size);
	if (!bytes)
		return ms_error_no_memory();
	size = read_at(core->fd, bytes, size, p->p_offset);
	while (!err && size - at >= 12) {
		uint64_t name = ms_load_u32(bytes + at), desc = ms_load_u32(bytes + at + 4);
		uint32_t type = ms_load_u32(bytes + at + 8);
		uint64_t desc_at = at + 12 + ms_round_up(name, 4);
		bool is_of_linux = // Of dlv it has no name.
		    !name || (name == 5 && size - at >= 17 && !memcmp(bytes + at + 12, "CORE", 5));

		if (desc_at > size || desc > size - desc_at)
			break;
		if (is_of_linux)
			err = note_take(core, type, bytes + desc_at, (size_t)desc);
		if (desc_at + ms_round_up(desc, 4) > size)
			break;
		at = (size_t)(desc_at + ms_round_up(desc, 4));
	}
	return err;
}

// --- Program headers. ---

static struct ms_error *take_segment(struct ms_core_file *core, const Elf64_Phdr *p)
{
	struct ms_core_segment s = { .start = p->p_vaddr,
				     .end = p->p_vaddr + p->p_memsz,
				     .offset = p->p_offset };
	uint64_t wanted = ms_min_u64(p->p_filesz, p->p_memsz);

	if (!p->p_memsz || s.end <= s.start || (s.start | s.end) % PAGE_BYTES)
		return NULL; // No mapping is so.
	if (p->p_offset < core->bytes)
		s.file_bytes = ms_min_u64(wanted, core->bytes - p->p_offset);
	s.lost_bytes = wanted - s.file_bytes;
	core->missing_bytes += s.lost_bytes;
	s.prot = (p->p_flags & PF_R ? MS_PROT_READ : 0u) |
		 (p->p_flags & PF_W ? MS_PROT_WRITE : 0u) | (p->p_flags & PF_X ? MS_PROT_EXEC : 0u);
	return ms_vec_push(&core->segments, s) ? NULL : ms_error_no_memory();
}

static struct ms_error *read_headers(struct ms_core_file *core, uint64_t offset, uint64_t count)
{
	MS_AUTO_FREE Elf64_Phdr *headers = calloc(HEADERS_AT_ONCE, sizeof(*headers));
	struct ms_error *err = NULL;

	if (!headers)
		return ms_error_no_memory();
	for (uint64_t done = 0; done < count && !err;) {
		size_t part = (size_t)ms_min_u64(count - done, HEADERS_AT_ONCE);
		size_t got = read_at(core->fd, headers, part * sizeof(*headers),
				     offset + done * sizeof(*headers)) /
			     sizeof(*headers);

		for (size_t i = 0; i < got && !err; i++) {
			if (headers[i].p_type == PT_LOAD)
				err = take_segment(core, &headers[i]);
			else if (headers[i].p_type == PT_NOTE)
				err = read_notes(core, &headers[i]);
		}
		if (!err && got < part)
			err = ms_error_new(MS_ERR_BAD_DATA,
					   "it is cut off inside its table of %" PRIu64 " mappings",
					   count);
		done += part;
	}
	return err;
}

static int by_start(const void *a, const void *b)
{
	const struct ms_core_segment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/** Sorted, and of two that overlap the first: no sane writer makes such. */
static void put_in_order(struct ms_core_segments *segments)
{
	size_t kept = 0;

	if (segments->count)
		qsort(segments->items, segments->count, sizeof(*segments->items), by_start);
	for (size_t i = 0; i < segments->count; i++) {
		if (kept && segments->items[i].start < segments->items[kept - 1].end)
			continue;
		segments->items[kept++] = segments->items[i];
	}
	segments->count = kept;
}

static struct ms_error *header_count(const struct ms_core_file *core, const Elf64_Ehdr *h,
				     uint64_t *ret_count)
{
	Elf64_Shdr first;

	*ret_count = h->e_phnum;
	if (h->e_phnum == PN_XNUM) {
		if (read_at(core->fd, &first, sizeof(first), h->e_shoff) != sizeof(first))
			return ms_error_new(MS_ERR_BAD_DATA,
					    "the number of its mappings cannot be read");
		*ret_count = first.sh_info;
	}
	if (*ret_count > HEADERS_MAX)
		return ms_error_new(MS_ERR_LIMIT, "it has %" PRIu64 " mappings, over %d",
				    *ret_count, HEADERS_MAX);
	return NULL;
}

static struct ms_error *open_file(const char *path, struct ms_core_file *core)
{
	Elf64_Ehdr header;
	struct stat file;
	struct ms_error *err;
	uint64_t count;

	core->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (core->fd < 0 || fstat(core->fd, &file) != 0)
		return ms_error_errno(MS_ERR_IO, errno, "it cannot be read");
	if (!S_ISREG(file.st_mode))
		return ms_error_new(MS_ERR_UNSUPPORTED, "it is no file but something else");
	core->bytes = (uint64_t)file.st_size;
	if (read_at(core->fd, &header, sizeof(header), 0) != sizeof(header) || !is_core(&header))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "it is no core file of a 64-bit little-endian program");
	core->arch = header.e_machine == EM_X86_64    ? MS_ARCH_AMD64
		     : header.e_machine == EM_AARCH64 ? MS_ARCH_ARM64
						      : MS_ARCH_UNKNOWN;
	if (core->arch == MS_ARCH_UNKNOWN)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "it is of another processor than amd64 or arm64");
	if (header.e_phentsize != sizeof(Elf64_Phdr))
		return ms_error_new(MS_ERR_BAD_DATA, "the rows of its table have a wrong size");
	err = header_count(core, &header, &count);
	if (!err)
		err = read_headers(core, header.e_phoff, count);
	if (err)
		return err;
	put_in_order(&core->segments);
	if (!core->segments.count)
		return ms_error_new(MS_ERR_BAD_DATA, "it has no memory in it");
	return NULL;
}

struct ms_error *ms_core_file_open(const char *path, struct ms_core_file *ret_core)
{
	struct ms_error *err;

	*ret_core = (struct ms_core_file){ .fd = -1 };
	err = open_file(path, ret_core);
	return err ? ms_error_wrap(err, "core file %s", path) : NULL;
}

void ms_core_file_deinit(struct ms_core_file *core)
{
	if (core->fd >= 0)
		close(core->fd);
	ms_vec_free(&core->segments);
	ms_vec_free(&core->mappings);
	ms_vec_free(&core->threads);
	free(core->paths);
	*core = (struct ms_core_file){ .fd = -1 };
}

// --- Memory. ---

const struct ms_core_segment *ms_core_segment_at(const struct ms_core_file *core, ms_addr addr)
{
	size_t low = 0, high = core->segments.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (core->segments.items[middle].end <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < core->segments.count && core->segments.items[low].start <= addr)
		return &core->segments.items[low];
	return NULL;
}

bool ms_core_segment_read(const struct ms_core_file *core, const struct ms_core_segment *segment,
			  ms_addr addr, void *buf, size_t size)
{
	return read_at(core->fd, buf, size, segment->offset + (addr - segment->start)) == size;
}

bool ms_core_memory(const struct ms_core_file *core, ms_addr addr, void *buf, size_t size)
{
	uint8_t *at = buf;

	while (size) {
		const struct ms_core_segment *s = ms_core_segment_at(core, addr);
		size_t part;

		if (!s || addr - s->start >= s->file_bytes)
			return false;
		part = (size_t)ms_min_u64(size, s->file_bytes - (addr - s->start));
		if (!ms_core_segment_read(core, s, addr, at, part))
			return false;
		addr += part;
		at += part;
		size -= part;
	}
	return true;
}
