// cgroup.c - from a process to the files of its groups.
//
// /proc/PID/cgroup names its group, /proc/.../mountinfo where groups are mounted and from which of
// them on.  Both are told relative to the root of *our* cgroup namespace, whoever's file is read: a
// group outside of it begins with "/..", and so does the root of a mount that another namespace
// made.  Where the one begins with the other, the rest is a path under the mount point.
//
//	our mounts first	they show the most of the way up
//	then the target's	through /proc/PID/root: a container that is no child of ours
//
// A bound holds for a group and all below it, so every group on the way up counts; what leaves
// least is hit first.  Pages of files are not counted as used: at the limit the kernel drops them.
#include "target/cgroup.h"

#include "base/cleanup.h"
#include "target/small_file.h"

enum { DEPTH_MAX = 64, MOUNTS_MAX = 65536 };

/** From here on v1's limit means that there is none (PAGE_COUNTER_MAX pages). */
static const uint64_t V1_LIMIT_MAX = (uint64_t)1 << 60;

enum version {
	V1,
	V2,
};

struct group {
	enum version version;
	const char *path; // Relative to our namespace's root.
};

/** Whether @p word is one of the words of a list that ends at @p end. */
static bool list_has(const char *list, const char *end, const char *word)
{
	size_t size = strlen(word);

	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma ? comma : end;

		if ((size_t)(stop - list) == size && !memcmp(list, word, size))
			return true;
		list = stop + 1;
	}
	return false;
}

/** The path in the line of @p text (/proc/PID/cgroup) that @p version is about, or NULL. */
static char *group_path(const char *text, enum version version)
{
	while (text && *text) {
		const char *list = strchr(text, ':');
		const char *path = list ? strchr(list + 1, ':') : NULL;
		const char *end = strchrnul(text, '\n');
		bool mine;

		if (!path || path > end)
			return NULL;
		mine = version == V2 ? path == list + 1 && !strncmp(text, "0:", 2)
				     : list_has(list + 1, path, "memory");
		if (mine && path[1] == '/')
			return strndup(path + 1, (size_t)(end - path - 1));
		text = *end ? end + 1 : NULL;
	}
	return NULL;
}

/** Undo the kernel's octal escapes of blanks and backslashes, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

/** A line of mountinfo taken apart in place; false when it is no mount of this version. */
static bool mount_parse(char *line, enum version version, char **ret_root, char **ret_point)
{
	char *field = strsep(&line, " "), *root = NULL, *point = NULL;
	char *type, *options;

	for (unsigned i = 0; field && strcmp(field, "-") != 0; i++) {
		root = i == 3 ? field : root;
		point = i == 4 ? field : point;
		field = strsep(&line, " ");
	}
	type = strsep(&line, " ");
	options = strsep(&line, " ") ? strsep(&line, " ") : NULL;
	if (!point || !options)
		return false;
	if (version == V2 ? strcmp(type, "cgroup2") != 0
			  : strcmp(type, "cgroup") != 0 ||
				!list_has(options, options + strlen(options), "memory"))
		return false;
	unescape(root);
	unescape(point);
	*ret_root = root;
	*ret_point = point;
	return true;
}

/** The part of @p path below @p root, "" for the root itself; NULL when it is not below. */
static const char *below(const char *path, const char *root)
{
	size_t size = strcmp(root, "/") != 0 ? strlen(root) : 0;

	if (strncmp(path, root, size) != 0 || (path[size] != '/' && path[size]))
		return NULL;
	path += size;
	if (!strncmp(path, "/..", 3) && (path[3] == '/' || !path[3]))
		return NULL;
	return strcmp(path, "/") != 0 ? path : "";
}

static uint64_t file_number(const char *dir, const char *name)
{
	MS_AUTO_FREE char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) > 0 ? ms_small_file_number(path) : MS_UNKNOWN;
}

/** What of a group's usage are pages of files. */
static uint64_t file_bytes(const char *dir, enum version version)
{
	static const char *const keys[][2] = {
		[V1] = { "total_inactive_file", "total_active_file" },
		[V2] = { "inactive_file", "active_file" },
	};
	MS_AUTO_FREE char *path = NULL, *text = NULL;
	uint64_t sum = 0;

	if (asprintf(&path, "%s/memory.stat", dir) > 0)
		text = ms_small_file_read(path);
	for (size_t i = 0; i < 2 && text; i++) {
		uint64_t bytes = ms_text_number(text, keys[version][i]);

		sum += bytes < V1_LIMIT_MAX ? bytes : 0;
	}
	return sum;
}

static struct ms_memory_bound bound_of(uint64_t limit, uint64_t used)
{
	if (limit == MS_UNKNOWN || used == MS_UNKNOWN || limit >= V1_LIMIT_MAX)
		return MS_NO_BOUND;
	return (struct ms_memory_bound){ limit, used };
}

/** What the groups on the way up come to. */
struct found {
	struct ms_cgroup_bounds bounds;
	struct ms_cgroup_limit limit;
};

/** Keep the group where it is the first, or its limit leaves less than any before. */
static void limit_add(struct ms_cgroup_limit *l, const char *dir, enum version version,
		      struct ms_memory_bound bound)
{
	uint64_t left = ms_memory_bound_left(&bound);

	if (l->dir && left >= l->left_bytes)
		return;
	free(l->dir);
	*l = (struct ms_cgroup_limit){ strdup(dir), version == V2, bound.limit_bytes, left };
}

static void group_add(struct found *found, const char *dir, enum version version)
{
	struct ms_cgroup_bounds *b = &found->bounds;
	struct ms_memory_bound max;
	uint64_t used =
	    file_number(dir, version == V2 ? "memory.current" : "memory.usage_in_bytes");

	if (used != MS_UNKNOWN)
		used -= ms_min_u64(used, file_bytes(dir, version));
	max = bound_of(file_number(dir, version == V1 ? "memory.limit_in_bytes" : "memory.max"),
		       used);
	if (used != MS_UNKNOWN)
		limit_add(&found->limit, dir, version, max);
	if (version == V1) {
		b->v1 = ms_memory_bound_nearer(b->v1, max);
		return;
	}
	b->max = ms_memory_bound_nearer(b->max, max);
	b->high = ms_memory_bound_nearer(b->high, bound_of(file_number(dir, "memory.high"), used));
}

/** Add a group and all above it, up to the mount at @p point. */
static void groups_add(struct found *found, const char *point, const char *rest,
		       enum version version)
{
	MS_AUTO_FREE char *dir = NULL;
	size_t mount = strlen(point);
	int size = asprintf(&dir, "%s%s", point, rest);

	for (unsigned depth = 0; size > 0 && depth < DEPTH_MAX; depth++) {
		char *slash;

		// Before Linux 5.11 a v1 group could ask not to count what is below it.
		if (depth == 0 || version == V2 || file_number(dir, "memory.use_hierarchy") != 0)
			group_add(found, dir, version);
		if (strlen(dir) <= mount)
			return;
		slash = strrchr(dir + mount, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

/** Look for the group in the mounts of @p who ("self" or a PID); false when none shows it. */
static bool mounts_search(const struct group *g, const char *root, const char *who,
			  const char *prefix, struct found *found)
{
	MS_AUTO_FREE char *path = NULL, *text = NULL;
	char *rest_of_text, *line;

	if (asprintf(&path, "%s/proc/%s/mountinfo", root, who) > 0)
		text = ms_small_file_read(path);
	rest_of_text = text;
	for (unsigned i = 0; (line = strsep(&rest_of_text, "\n")) && i < MOUNTS_MAX; i++) {
		MS_AUTO_FREE char *point = NULL, *dir = NULL;
		char *mount_root, *mount_point;
		const char *rest;

		if (!mount_parse(line, g->version, &mount_root, &mount_point))
			continue;
		rest = below(g->path, mount_root);
		if (!rest || asprintf(&point, "%s%s%s", root, prefix, mount_point) < 0 ||
		    asprintf(&dir, "%s%s", point, rest) < 0 || access(dir, F_OK) != 0)
			continue;
		groups_add(found, point, rest, g->version);
		return true;
	}
	return false;
}

static struct found search(pid_t pid, const char *root)
{
	struct found found = { { MS_NO_BOUND, MS_NO_BOUND, MS_NO_BOUND, false },
			       { .limit_bytes = MS_UNKNOWN, .left_bytes = MS_UNKNOWN } };
	MS_AUTO_FREE char *path = NULL, *text = NULL, *who = NULL, *prefix = NULL;
	unsigned named = 0, shown = 0;

	if (asprintf(&path, "%s/proc/%d/cgroup", root, (int)pid) < 0 ||
	    asprintf(&who, "%d", (int)pid) < 0 || asprintf(&prefix, "/proc/%d/root", (int)pid) < 0)
		return found;
	text = ms_small_file_read(path);
	for (enum version v = V1; v <= V2; v++) {
		MS_AUTO_FREE char *name = group_path(text, v);
		struct group g = { v, name };

		if (!name)
			continue;
		named++;
		shown += mounts_search(&g, root, "self", "", &found) ||
			 mounts_search(&g, root, who, prefix, &found);
	}
	found.bounds.hidden = named && !shown;
	return found;
}

struct ms_cgroup_bounds ms_cgroup_read(pid_t pid, const char *root)
{
	struct found found = search(pid, root);

	ms_cgroup_limit_deinit(&found.limit);
	return found.bounds;
}

struct ms_cgroup_limit ms_cgroup_limit_find(pid_t pid, const char *root)
{
	return search(pid, root).limit;
}

uint64_t ms_cgroup_limit_used(const struct ms_cgroup_limit *l, uint64_t from)
{
	uint64_t used =
	    !l->dir ? MS_UNKNOWN
		    : file_number(l->dir, l->is_v2 ? "memory.current" : "memory.usage_in_bytes");

	if (used == MS_UNKNOWN || used < from)
		return used;
	return used - ms_min_u64(used, file_bytes(l->dir, l->is_v2 ? V2 : V1));
}

uint64_t ms_cgroup_limit_kills(const struct ms_cgroup_limit *l)
{
	MS_AUTO_FREE char *path = NULL, *text = NULL;

	if (!l->dir ||
	    asprintf(&path, "%s/%s", l->dir, l->is_v2 ? "memory.events" : "memory.oom_control") < 0)
		return MS_UNKNOWN;
	text = ms_small_file_read(path);
	return text ? ms_text_number(text, "oom_kill") : MS_UNKNOWN;
}

void ms_cgroup_limit_deinit(struct ms_cgroup_limit *limit)
{
	free(limit->dir);
	*limit = (struct ms_cgroup_limit){ .limit_bytes = MS_UNKNOWN, .left_bytes = MS_UNKNOWN };
}
