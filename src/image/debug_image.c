// debug_image.c - unpacking debug sections, each straight to where it stays.
//
//	ELF header | section headers | section names | section, zeros | section, zeros | ...
//
// A packed section starts with a header that says how long it is unpacked (the newer form, by its
// flags, or the older one, which Go wrote up to 1.18).  That number is believed as far as a bound;
// memory for it is touched only as it is filled.
#include "image/debug_image.h"

#include "base/cleanup.h"

#include <endian.h>
#include <gelf.h>
#include <libelf.h>
#include <zlib.h>

enum {
	SECTIONS_MAX = 1 << 16,
	PART_COUNT = 6,
	GUARD_BYTES = 64, // The longest plain read is of a number of 16.
	CHUNK_BYTES = 1 << 16,
	UNPACKED_BYTES_MAX = 256 << 20, // A program of 100 MB has 30 MB.
};

/** The names, each behind a NUL; a section's is at the place that the table below says. */
static const char names_text[] = "\0.debug_info\0.debug_abbrev\0.debug_addr\0.debug_str\0"
				 ".debug_line_str\0.debug_str_offsets\0.shstrtab";

static const uint32_t names_at[PART_COUNT + 1] = { 1, 13, 27, 39, 50, 66, 85 };

/** One section: in the file, and in the image. */
struct part {
	uint64_t offset, packed_bytes; // In the file; a header not counted.
	bool is_there, is_packed;
	uint64_t bytes, at; // In the image.
};

struct loader {
	int fd;
	struct part parts[PART_COUNT];
	uint8_t chunk[CHUNK_BYTES];
};

static void elf_endp(Elf **e)
{
	elf_end(*e);
}

static bool read_exactly(int fd, void *buf, uint64_t size, uint64_t offset)
{
	uint8_t *at = buf;

	while (size) {
		ssize_t n = offset <= INT64_MAX ? pread(fd, at, size, (off_t)offset) : -1;

		if (n <= 0)
			return false;
		at += n;
		size -= (uint64_t)n;
		offset += (uint64_t)n;
	}
	return true;
}

/** The part that a section is, or NULL for none of ours. */
static struct part *part_named(struct loader *l, const char *name)
{
	char plain[32] = ".debug";

	if (!strncmp(name, ".zdebug_", 8) && strlen(name) < sizeof(plain)) {
		memcpy(plain + 6, name + 7, strlen(name + 7) + 1);
		name = plain;
	}
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (!strcmp(name, names_text + names_at[i]))
			return &l->parts[i];
	}
	return NULL;
}

/** Where the section is, and how long it is going to be. */
static bool part_measure(int fd, const GElf_Shdr *section, struct part *ret_part)
{
	struct part p = { section->sh_offset, section->sh_size, true, false, section->sh_size, 0 };
	uint8_t head[sizeof(Elf64_Chdr)];
	uint64_t head_bytes = 0;

	if (p.packed_bytes >= sizeof(head) && read_exactly(fd, head, sizeof(head), p.offset)) {
		if (section->sh_flags & SHF_COMPRESSED) {
			if (ms_load_u32(head) != ELFCOMPRESS_ZLIB)
				return false;
			head_bytes = sizeof(Elf64_Chdr);
			p.bytes = ms_load_u64(head + offsetof(Elf64_Chdr, ch_size));
		} else if (!memcmp(head, "ZLIB", 4)) {
			head_bytes = 12;
			p.bytes = be64toh(ms_load_u64(head + 4));
		}
	}
	p.is_packed = head_bytes > 0;
	p.offset += head_bytes;
	p.packed_bytes -= head_bytes;
	*ret_part = p;
	return true;
}

static struct ms_error *damaged(const char *what)
{
	return ms_error_new(MS_ERR_UNSUPPORTED, "its debug information is damaged: %s", what);
}

static struct ms_error *parts_find(struct loader *l, Elf *elf)
{
	size_t names;
	int count = 0;

	if (elf_getshdrstrndx(elf, &names) != 0)
		return damaged("no section names");
	for (Elf_Scn *at = elf_nextscn(elf, NULL); at; at = elf_nextscn(elf, at)) {
		GElf_Shdr section;
		const char *name;
		struct part *part;

		if (++count > SECTIONS_MAX || !gelf_getshdr(at, &section))
			return damaged("section headers");
		name = elf_strptr(elf, names, section.sh_name);
		part = name ? part_named(l, name) : NULL;
		if (!part || section.sh_type == SHT_NOBITS)
			continue;
		if (part->is_there)
			return damaged("a section comes twice");
		if (!part_measure(l->fd, &section, part))
			return damaged("a section is packed in an unknown way");
	}
	if (!l->parts[0].is_there)
		return ms_error_new(MS_ERR_UNSUPPORTED, "no DWARF (built with -w, or stripped)");
	return NULL;
}

/** Give every part its place. */
static struct ms_error *parts_place(struct loader *l, uint64_t *ret_size)
{
	uint64_t at = sizeof(Elf64_Ehdr) + (PART_COUNT + 2) * sizeof(Elf64_Shdr);
	uint64_t sum = 0;

	at = ms_round_up(at + sizeof(names_text), 16);
	for (size_t i = 0; i < PART_COUNT; i++) {
		struct part *p = &l->parts[i];

		if (p->bytes > UNPACKED_BYTES_MAX - sum)
			return ms_error_new(MS_ERR_LIMIT,
					    "its debug information unpacks to more than %d MiB",
					    UNPACKED_BYTES_MAX >> 20);
		sum += p->bytes;
		p->at = at;
		at = ms_round_up(at + p->bytes + GUARD_BYTES, 16);
	}
	*ret_size = at;
	return NULL;
}

/** Unpack what @p z has room for; false when that is not what there is. */
static bool part_inflate(struct loader *l, const struct part *p, z_stream *z)
{
	uint64_t left = p->packed_bytes, offset = p->offset;
	int state = Z_OK;

	while (state == Z_OK && left) {
		uint64_t n = ms_min_u64(left, sizeof(l->chunk));

		if (!read_exactly(l->fd, l->chunk, n, offset))
			return false;
		offset += n;
		left -= n;
		z->next_in = l->chunk;
		z->avail_in = (uInt)n;
		while (state == Z_OK && z->avail_in)
			state = inflate(z, Z_NO_FLUSH);
	}
	return state == Z_STREAM_END && !z->avail_out;
}

static struct ms_error *part_load(struct loader *l, const struct part *p, uint8_t *image)
{
	z_stream z = { .next_out = image + p->at, .avail_out = (uInt)p->bytes };
	bool good;

	if (!p->is_packed)
		return read_exactly(l->fd, image + p->at, p->bytes, p->offset)
			   ? NULL
			   : damaged("a section is cut short");
	if (inflateInit(&z) != Z_OK)
		return ms_error_no_memory();
	good = part_inflate(l, p, &z);
	inflateEnd(&z);
	return good ? NULL : damaged("a section does not unpack");
}

static void headers_put(const struct loader *l, uint16_t machine, uint8_t *image)
{
	Elf64_Ehdr ehdr = { .e_ident = ELFMAG,
			    .e_type = ET_EXEC,
			    .e_machine = machine,
			    .e_version = EV_CURRENT,
			    .e_shoff = sizeof(ehdr),
			    .e_ehsize = sizeof(ehdr),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = PART_COUNT + 2,
			    .e_shstrndx = PART_COUNT + 1 };
	Elf64_Shdr sections[PART_COUNT + 2] = { 0 };
	uint64_t names_offset = sizeof(ehdr) + sizeof(sections);

	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	for (size_t i = 0; i < PART_COUNT; i++)
		sections[i + 1] = (Elf64_Shdr){
			.sh_name = names_at[i],
			.sh_type = l->parts[i].is_there ? SHT_PROGBITS : SHT_NULL,
			.sh_offset = l->parts[i].at,
			.sh_size = l->parts[i].bytes,
			.sh_addralign = 1,
		};
	sections[PART_COUNT + 1] = (Elf64_Shdr){ .sh_name = names_at[PART_COUNT],
						 .sh_type = SHT_STRTAB,
						 .sh_offset = names_offset,
						 .sh_size = sizeof(names_text),
						 .sh_addralign = 1 };
	memcpy(image, &ehdr, sizeof(ehdr));
	memcpy(image + sizeof(ehdr), sections, sizeof(sections));
	memcpy(image + names_offset, names_text, sizeof(names_text));
}

struct ms_error *ms_debug_image_load(int fd, struct ms_debug_image *ret_image)
{
	MS_AUTO_FREE struct loader *l = calloc(1, sizeof(*l));
	MS_AUTO_FREE uint8_t *image = NULL;
	struct ms_error *err;
	GElf_Ehdr ehdr;
	uint64_t size = 0;

	if (!l)
		return ms_error_no_memory();
	elf_version(EV_CURRENT);
	MS_CLEANUP(elf_endp) Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf || !gelf_getehdr(elf, &ehdr))
		return ms_error_new(MS_ERR_UNSUPPORTED, "not an ELF file");
	l->fd = fd;
	err = parts_find(l, elf);
	if (!err)
		err = parts_place(l, &size);
	if (err)
		return err;
	image = calloc(1, (size_t)size);
	if (!image)
		return ms_error_no_memory();
	headers_put(l, ehdr.e_machine, image);
	for (size_t i = 0; i < PART_COUNT; i++) {
		err = part_load(l, &l->parts[i], image);
		if (err)
			return err;
	}
	*ret_image = (struct ms_debug_image){ MS_STEAL(image), (size_t)size };
	return NULL;
}

void ms_debug_image_deinit(struct ms_debug_image *image)
{
	free(image->bytes);
	*image = (struct ms_debug_image){ 0 };
}
