// build_info.c - the blob behind "\xff Go buildinf:".
//
//	offset 14  pointer size       15  flags: 1 big-endian, 2 strings inline (Go 1.18)
//	inline:    at 32, two strings, each a varint length and bytes: version, module text
//	before:    at 16, two pointers to Go string headers
//
// The module text has one line per setting, "build\tGOEXPERIMENT=…" among them.  Experiments also
// stand in the version: "go1.24.1 X:noswissmap" and, since Go 1.26, "go1.26.1-X:nogreenteagc".
#include "image/build_info.h"

#include "base/cleanup.h"

#include <ctype.h>

enum {
	HEADER_BYTES = 32,
	BLOB_BYTES_MAX = 1 << 20, // Module text of the largest programs is some 100 kB.
	SCAN_STEP = 1 << 20,
	BLOB_ALIGN = 16,
};

static const uint8_t MAGIC[14] = "\xff Go buildinf:";

static bool parse_number(const char **at, const char *end, int *ret_number)
{
	int number = 0, digits = 0;

	for (; *at < end && isdigit((unsigned char)**at) && digits < 5; (*at)++, digits++)
		number = number * 10 + (**at - '0');
	if (!digits)
		return false;
	*ret_number = number;
	return true;
}

bool ms_build_info_parse(const char *version, size_t size, struct ms_build_info *ret_info)
{
	static const char devel[] = "devel ";
	struct ms_build_info info = { 0 };
	const char *at = version, *end = version + size;
	int major = 0, minor = 0, patch = 0;
	const char *tail;

	if (size >= MS_GO_VERSION_MAX || memchr(version, '\0', size))
		return false;
	if (size > sizeof(devel) - 1 && !memcmp(version, devel, sizeof(devel) - 1)) {
		info.is_development = true;
		at += sizeof(devel) - 1;
	}
	if (end - at < 4 || memcmp(at, "go", 2) != 0)
		return false;
	at += 2;
	if (!parse_number(&at, end, &major) || at == end || *at++ != '.' ||
	    !parse_number(&at, end, &minor) || major > 999 || minor > 999)
		return false;
	const char *dot = at;
	if (at == end || *at++ != '.' || !parse_number(&at, end, &patch) || patch > 999) {
		at = dot; // "go1.27" or "go1.27rc1": before the first patch release.
		patch = 0;
	}
	for (tail = at; tail < end && *tail != ' ' &&
			!(*tail == '-' && end - tail > 2 && tail[1] == 'X' && tail[2] == ':');
	     tail++) {
		if (!isgraph((unsigned char)*tail))
			return false;
	}
	if (at < tail && *at == '-') // "go1.28-a1b2c3": a development build's revision.
		info.is_development = true;
	info.release = (major * 1000 + minor) * 1000 + patch;
	memcpy(info.version, version, (size_t)(tail - version));
	for (const char *x = tail; x + 2 < end; x++) {
		size_t n = 0;

		if (x[0] != 'X' || x[1] != ':')
			continue;
		for (x += 2; x < end && *x != ' ' && isgraph((unsigned char)*x); x++)
			info.experiments[n++] = *x;
		break;
	}
	*ret_info = info;
	return true;
}

/** The value of a "build\tKEY=value" line of the module text, if it fits. */
static void setting_read(const char *text, size_t size, const char *key, char *ret_value,
			 size_t capacity)
{
	size_t key_len = strlen(key);
	const char *at = memmem(text, size, key, key_len);
	const char *end;
	size_t len;

	if (!at)
		return;
	at += key_len;
	end = memchr(at, '\n', size - (size_t)(at - text));
	len = end ? (size_t)(end - at) : 0;
	if (!len || len >= capacity)
		return;
	memcpy(ret_value, at, len);
	ret_value[len] = '\0';
}

/** A varint length and that many bytes. */
static bool inline_string(const uint8_t **at, const uint8_t *end, const char **ret_text,
			  size_t *ret_size)
{
	uint64_t size = 0;

	for (unsigned shift = 0; shift < 35; shift += 7) {
		if (*at == end)
			return false;
		uint8_t byte = *(*at)++;

		size |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	if (size > (uint64_t)(end - *at))
		return false;
	*ret_text = (const char *)*at;
	*ret_size = (size_t)size;
	*at += size;
	return true;
}

static struct ms_error *error_malformed(void)
{
	return ms_error_new(MS_ERR_BAD_DATA, "its Go build info is malformed");
}

static struct ms_error *blob_inline(const uint8_t *blob, size_t size,
				    struct ms_build_info *ret_info)
{
	const uint8_t *at = blob + HEADER_BYTES, *end = blob + size;
	const char *version, *module;
	size_t version_size, module_size;

	if (!inline_string(&at, end, &version, &version_size) ||
	    !ms_build_info_parse(version, version_size, ret_info))
		return error_malformed();
	if (!ret_info->experiments[0] && inline_string(&at, end, &module, &module_size))
		setting_read(module, module_size, "\nbuild\tGOEXPERIMENT=", ret_info->experiments,
			     sizeof(ret_info->experiments));
	return NULL;
}

/** Before Go 1.18: pointers to string headers, resolved through the file. */
static struct ms_error *blob_pointers(struct ms_target *t, const struct ms_elf *elf,
				      const uint8_t *blob, struct ms_build_info *ret_info)
{
	char text[MS_GO_VERSION_MAX];
	uint8_t header[16];
	uint64_t offset, size;
	struct ms_error *err;

	if (blob[14] != 8 || !ms_elf_offset_of(elf, ms_load_u64(blob + 16), 16, &offset))
		return error_malformed();
	err = ms_target_exe_read(t, offset, header, sizeof(header));
	if (err)
		return err;
	size = ms_load_u64(header + 8);
	if (size >= sizeof(text) || !ms_elf_offset_of(elf, ms_load_u64(header), size, &offset))
		return error_malformed();
	err = ms_target_exe_read(t, offset, text, (size_t)size);
	if (!err && !ms_build_info_parse(text, (size_t)size, ret_info))
		err = error_malformed();
	return err;
}

static struct ms_error *blob_read(struct ms_target *t, const struct ms_elf *elf, uint64_t offset,
				  struct ms_build_info *ret_info)
{
	size_t size = (size_t)ms_min_u64(BLOB_BYTES_MAX, t->exe_size - offset);
	MS_AUTO_FREE uint8_t *blob = malloc(size);
	struct ms_error *err;

	if (!blob)
		return ms_error_no_memory();
	if (size < HEADER_BYTES)
		return error_malformed();
	err = ms_target_exe_read(t, offset, blob, size);
	if (err)
		return err;
	if (memcmp(blob, MAGIC, sizeof(MAGIC)) != 0 || (blob[15] & 1))
		return error_malformed();
	return blob[15] & 2 ? blob_inline(blob, size, ret_info)
			    : blob_pointers(t, elf, blob, ret_info);
}

/** Look through the file part of a writable segment, where the linker puts the blob. */
static struct ms_error *segment_scan(struct ms_target *t, const struct ms_elf_segment *segment,
				     uint64_t *ret_offset, bool *ret_found)
{
	MS_AUTO_FREE uint8_t *buf = malloc(SCAN_STEP);
	uint64_t start = ms_round_up(segment->offset, BLOB_ALIGN);
	uint64_t end = segment->offset + segment->file_bytes;

	if (!buf)
		return ms_error_no_memory();
	for (uint64_t offset = start; offset < end; offset += SCAN_STEP) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, end - offset);
		struct ms_error *err = ms_target_exe_read(t, offset, buf, size);

		if (err)
			return err;
		for (size_t at = 0; at + sizeof(MAGIC) <= size; at += BLOB_ALIGN) {
			if (memcmp(buf + at, MAGIC, sizeof(MAGIC)) != 0)
				continue;
			*ret_offset = offset + at;
			*ret_found = true;
			return NULL;
		}
	}
	return NULL;
}

struct ms_error *ms_build_info_read(struct ms_target *t, const struct ms_elf *elf,
				    struct ms_build_info *ret_info)
{
	struct ms_elf_section section;
	uint64_t offset = 0;
	bool found = false;

	if (ms_elf_section_find(t, ".go.buildinfo", &section))
		return blob_read(t, elf, section.offset, ret_info);
	for (size_t i = 0; i < elf->segment_count && !found; i++) {
		struct ms_error *err;

		if (elf->segments[i].prot & MS_PROT_EXEC)
			continue;
		err = segment_scan(t, &elf->segments[i], &offset, &found);
		if (err && t->lacks_program && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err); // One of those that are missing.
			continue;
		}
		if (err)
			return err;
	}
	if (!found)
		return ms_error_new(MS_ERR_BAD_DATA, "its executable has no Go build info");
	return blob_read(t, elf, offset, ret_info);
}
