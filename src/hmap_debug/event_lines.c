// event_lines.c - a line for an event, in the words of Go's maps, and where lines go.
//
// A line is one write of less than PIPE_BUF bytes to a file that is appended to, so that lines of
// many threads stand one behind another.  Who listens has a buffer; what does not fit is counted.
#include "hmap_debug/parts.h"

#include <hmap/hmap_table.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES = 512, LISTENERS = 8, LISTENER_BYTES = 1 << 16, CLASSIC_SLOTS = 8 };
_Static_assert((int)LINE_BYTES <= (int)PIPE_BUF, "a line is one write");

static int lines_fd = STDERR_FILENO;

struct hd_listener {
	bool used;
	char bytes[LISTENER_BYTES];
	size_t size;
	unsigned long lost;
};
static struct hd_listener listeners[LISTENERS];
static unsigned listening; // How many; read without the lock.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

bool hd_lines_open(const char *path)
{
	int fd;

	pthread_atfork(before_fork, after_fork, after_fork);
	if (!*path)
		return true;
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0) {
		hd_line("libhmap: file=%s cannot be written: %s", path, strerror(errno));
		return false;
	}
	lines_fd = fd;
	return true;
}

static void listener_add(struct hd_listener *l, const char *line, size_t size)
{
	if (!l->used)
		return;
	if (size > sizeof(l->bytes) - l->size) {
		l->lost++;
		return;
	}
	memcpy(l->bytes + l->size, line, size);
	l->size += size;
}

void hd_line(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (size <= 0)
		return;
	if ((size_t)size > sizeof(line) - 2)
		size = sizeof(line) - 2;
	line[size++] = '\n';
	if (write(lines_fd, line, (size_t)size) < 0) {
		// There is nobody to tell: a program goes on without its trace.
	}
	if (!__atomic_load_n(&listening, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < LISTENERS; i++)
		listener_add(&listeners[i], line, (size_t)size);
	pthread_mutex_unlock(&lock);
}

struct hd_listener *hd_listen(void)
{
	struct hd_listener *free_one = NULL;

	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < LISTENERS && !free_one; i++)
		free_one = listeners[i].used ? NULL : &listeners[i];
	if (free_one) {
		free_one->used = true;
		free_one->size = 0;
		free_one->lost = 0;
		__atomic_add_fetch(&listening, 1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&lock);
	return free_one;
}

bool hd_listener_has(struct hd_listener *l)
{
	bool has;

	pthread_mutex_lock(&lock);
	has = l->size || l->lost;
	pthread_mutex_unlock(&lock);
	return has;
}

size_t hd_listener_take(struct hd_listener *l, char *ret, size_t size)
{
	size_t taken;

	pthread_mutex_lock(&lock);
	taken = l->size < size ? l->size : size;
	memcpy(ret, l->bytes, taken);
	memmove(l->bytes, l->bytes + taken, l->size - taken);
	l->size -= taken;
	if (!taken && l->lost) {
		taken = (size_t)snprintf(ret, size,
					 "(%lu lines lost: they came faster than they "
					 "were read)\n",
					 l->lost);
		taken = taken < size ? taken : size;
		l->lost = 0;
	}
	pthread_mutex_unlock(&lock);
	return taken;
}

void hd_listener_end(struct hd_listener *l)
{
	pthread_mutex_lock(&lock);
	l->used = false;
	__atomic_sub_fetch(&listening, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
}

// --- Events. ---

/** "8 buckets", "1 bucket", or a table that is smaller than one. */
static void table_text(bool classic, size_t slots, char *ret, size_t size)
{
	size_t of = classic ? CLASSIC_SLOTS : (size_t)HMAP_BLOCK_GROUPS * HMAP_GROUP_SLOTS;

	if (slots >= of)
		snprintf(ret, size, "%zu bucket%s", slots / of, slots / of == 1 ? "" : "s");
	else if (slots)
		snprintf(ret, size, "one group of %zu slots", slots);
	else
		snprintf(ret, size, "no table");
}

static void head_text(const struct hmap *map, char *ret, size_t size)
{
	char name[HMAP_NAME_BYTES];

	hd_plain(hd_calls->name_of(map), name, sizeof(name));
	snprintf(ret, size, "map[%p%s%s]", (const void *)map, *name ? " " : "", name);
}

static unsigned shift_of(size_t buckets)
{
	unsigned shift = 0;

	while (buckets > 1) {
		buckets /= 2;
		shift++;
	}
	return shift;
}

static void created_line(const char *head, bool classic, const struct hmap_event *e, char *ret,
			 size_t size)
{
	size_t of = classic ? CLASSIC_SLOTS : (size_t)HMAP_BLOCK_GROUPS * HMAP_GROUP_SLOTS;
	char table[64];

	table_text(classic, e->to, table, sizeof(table));
	if (e->to >= of)
		snprintf(ret, size, "%s created with hint %zu (bucket shift: %u)", head, e->entries,
			 shift_of(e->to / of));
	else
		snprintf(ret, size, "%s created with hint %zu (%s%s)", head, e->entries, table,
			 e->to ? "" : " yet");
}

/** Entries for eight slots, as Go counts its load factor. */
static double load(size_t entries, size_t slots)
{
	return slots ? (double)entries * 8 / (double)slots : 0;
}

static void change_line(const char *head, bool classic, const char *verb,
			const struct hmap_event *e, char *ret, size_t size)
{
	char from[64], to[64];

	table_text(classic, e->from, from, sizeof(from));
	table_text(classic, e->to, to, sizeof(to));
	if (strstr(from, " bucket") && strstr(to, " bucket"))
		*strstr(from, " bucket") = '\0';
	snprintf(ret, size, "%s %s from %s to %s (load factor: %.1f/8 → %.1f/8)", head, verb, from,
		 to, load(e->entries, e->from), load(e->entries + e->adding, e->to));
}

void hd_event_line(const struct hmap *map, const struct hmap_event *e, char *ret, size_t size)
{
	struct hmap_stats stats;
	char head[HMAP_NAME_BYTES + 32], table[64];
	bool classic;

	hd_calls->peek(map, &stats);
	classic = stats.engine == HMAP_CLASSIC;
	head_text(map, head, sizeof(head));
	table_text(classic, e->to, table, sizeof(table));
	switch (e->kind) {
	case HMAP_EVENT_CREATED:
		created_line(head, classic, e, ret, size);
		return;
	case HMAP_EVENT_GROWS:
		change_line(head, classic, "grows", e, ret, size);
		return;
	case HMAP_EVENT_SHRINKS:
		change_line(head, classic, "shrinks", e, ret, size);
		return;
	case HMAP_EVENT_COMPACTS:
		snprintf(ret, size, "%s tidies up %s of overflow (load factor: %.1f/8)", head,
			 table, load(e->entries, e->to));
		return;
	case HMAP_EVENT_MIGRATES:
		snprintf(ret, size, "%s bucket migration: bkt#%zu → bkt#%zu (%zu key%s moved)",
			 head, e->from, e->to, e->entries, e->entries == 1 ? "" : "s");
		return;
	case HMAP_EVENT_GROWN:
		snprintf(ret, size, "%s has grown to %s", head, table);
		return;
	case HMAP_EVENT_SHRUNK:
		snprintf(ret, size, "%s has shrunk to %s", head, table);
		return;
	case HMAP_EVENT_HIGH_LOAD:
		snprintf(ret, size, "%s is highly loaded: %zu entries in %s", head, e->entries,
			 table);
		return;
	case HMAP_EVENT_FREED:
		table_text(classic, e->from, table, sizeof(table));
		snprintf(ret, size, "%s freed with %zu entries in %s", head, e->entries, table);
		return;
	default:
		ret[0] = '\0';
	}
}
