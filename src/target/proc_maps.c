// proc_maps.c - which parts of an address space may be read at all is decided here: anonymous
// memory, private mappings of the executable, and of libraries what is present.  Everything else
// (devices, shared files, vvar) is kept in the list as MS_REGION_OTHER, so that an address in it
// can be told from one that is not mapped.
#include "target/proc_maps.h"

#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/sysmacros.h>

static enum ms_region_kind region_kind(const char *perms, unsigned major, unsigned minor,
				       uint64_t inode, const char *path, const struct stat *exe,
				       const char *exe_path)
{
	bool is_private = perms[3] == 'p';

	if (!is_private)
		return MS_REGION_OTHER;
	if (inode == 0) {
		bool named = path[0] == '[';
		bool anon = !path[0] || !strcmp(path, "[heap]") || !strncmp(path, "[stack", 6) ||
			    !strncmp(path, "[anon:", 6);

		return named && !anon ? MS_REGION_OTHER : MS_REGION_ANON;
	}
	if (inode == exe->st_ino && ((major == major(exe->st_dev) && minor == minor(exe->st_dev)) ||
				     (exe_path && !strcmp(path, exe_path))))
		return MS_REGION_EXE;
	return path[0] == '/' && strncmp(path, "/dev/", 5) != 0 ? MS_REGION_LIBRARY
								: MS_REGION_OTHER;
}

static bool parse_line(const char *line, const struct stat *exe, const char *exe_path,
		       struct ms_region *ret_region)
{
	char perms[5];
	unsigned major, minor;
	uint64_t inode;
	struct ms_region r = { 0 };
	int path_at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &r.start,
		   &r.end, perms, &r.file_offset, &major, &minor, &inode, &path_at) < 7 ||
	    r.start >= r.end || strlen(perms) != 4 || path_at == 0)
		return false;
	r.prot = (perms[0] == 'r' ? MS_PROT_READ : 0u) | (perms[1] == 'w' ? MS_PROT_WRITE : 0u) |
		 (perms[2] == 'x' ? MS_PROT_EXEC : 0u);
	r.kind = region_kind(perms, major, minor, inode, line + path_at, exe, exe_path);
	*ret_region = r;
	return true;
}

struct ms_error *ms_proc_maps_parse(const char *text, size_t size, const struct stat *exe,
				    const char *exe_path, struct ms_regions *ret_regions)
{
	struct ms_regions regions = { 0 };
	char line[4352]; // PATH_MAX and the numbers before it.
	const char *end = text + size;
	ms_addr last = 0;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((stop ? stop : end) - text);
		struct ms_region region;

		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		text = stop ? stop + 1 : end;
		if (!parse_line(line, exe, exe_path, &region) || region.start < last) {
			ms_regions_deinit(&regions);
			return ms_error_new(MS_ERR_BAD_DATA, "unexpected line in its maps file");
		}
		last = region.end;
		if (!ms_vec_push(&regions, region)) {
			ms_regions_deinit(&regions);
			return ms_error_no_memory();
		}
	}
	*ret_regions = regions;
	return NULL;
}
