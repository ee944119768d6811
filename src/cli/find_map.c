// find_map.c - owners compared as they are, and as a page prints them.
//
// A page escapes an owner's words and, where it is narrow, leaves out what stands in front of the
// last words, with dots in its place.  So a word matches an owner that is the same, one that is the
// same when it is escaped, and, when it begins with dots, one that ends like it.
#include "cli/find_map.h"

#include "base/vec.h"
#include "render/escape.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { SHOWN = 20 };

static const char *const dots[] = { "…", "..." };

bool ms_map_word_is_address(const char *word, ms_addr *ret_address)
{
	char *end;
	unsigned long long value;

	if (strncmp(word, "0x", 2) != 0 || !word[2])
		return false;
	errno = 0;
	value = strtoull(word + 2, &end, 16);
	if (errno || *end || word[2] == '-' || word[2] == '+' || word[2] == ' ')
		return false;
	*ret_address = value;
	return true;
}

/** What is left of a word behind its dots; NULL when it does not begin with any. */
static const char *behind_dots(const char *word)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(dots); i++) {
		if (!strncmp(word, dots[i], strlen(dots[i])) && word[strlen(dots[i])])
			return word + strlen(dots[i]);
	}
	return NULL;
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), wanted = strlen(end);

	return size >= wanted && !strcmp(text + size - wanted, end);
}

static bool text_matches(const char *owner, const char *word)
{
	const char *end = behind_dots(word), *step = strstr(owner, " <- ");

	if (!strcmp(owner, word))
		return true;
	if (!end)
		return false;
	// "…/session.Registry.byConn" may be all that a narrow page has of the first step.
	if (ends_with(owner, end))
		return true;
	return step && (size_t)(step - owner) >= strlen(end) &&
	       !strncmp(step - strlen(end), end, strlen(end));
}

static bool owner_matches(const char *owner, const char *word)
{
	struct ms_sink escaped;
	bool matches;

	if (text_matches(owner, word))
		return true;
	ms_sink_init_memory(&escaped);
	ms_escape_text(&escaped, owner, MS_CHARSET_UNICODE);
	matches = ms_sink_text(&escaped) && text_matches(ms_sink_text(&escaped), word);
	if (!matches) {
		escaped.size = 0;
		ms_escape_text(&escaped, owner, MS_CHARSET_ASCII);
		matches = ms_sink_text(&escaped) && text_matches(ms_sink_text(&escaped), word);
	}
	ms_sink_deinit(&escaped);
	return matches;
}

/** As it is typed: the core file, or the process's id. */
static const char *target_word(const struct ms_census_report *census, char *buf, size_t size)
{
	if (census->target.core)
		return census->target.core;
	snprintf(buf, size, "%" PRIu64, census->target.pid);
	return buf;
}

static struct ms_error *error_none(const struct ms_census_report *census, const char *word)
{
	char buf[24];
	const char *target = target_word(census, buf, sizeof(buf));

	return ms_error_new(MS_ERR_USAGE,
			    "no map of %s %s is called %s; type: mapscope maps %s"
			    " --all, and take an owner or, with --json, an address from there",
			    census->target.core ? "core file" : "process", target, word, target);
}

static struct ms_error *no_map_at(const struct ms_census_report *census, const char *word)
{
	char buf[24];
	const char *target = target_word(census, buf, sizeof(buf));

	return ms_error_new(MS_ERR_USAGE,
			    "there is no map at %s in %s %s; type: mapscope maps %s --all --json "
			    "for all addresses",
			    word, census->target.core ? "core file" : "process", target, target);
}

struct found {
	const struct ms_map_row **items;
	size_t count, capacity;
};

static int by_bytes(const void *a, const void *b)
{
	const struct ms_map_row *x = *(const struct ms_map_row *const *)a;
	const struct ms_map_row *y = *(const struct ms_map_row *const *)b;
	uint64_t of_x = x->total_bytes == MS_UNKNOWN ? 0 : x->total_bytes;
	uint64_t of_y = y->total_bytes == MS_UNKNOWN ? 0 : y->total_bytes;

	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	return (x->address > y->address) - (x->address < y->address);
}

static struct ms_error *error_several(const struct found *f, const char *word)
{
	struct ms_sink list;
	const char *text;
	struct ms_error *err;

	qsort(f->items, f->count, sizeof(*f->items), by_bytes);
	ms_sink_init_memory(&list);
	for (size_t i = 0; i < f->count && i < SHOWN; i++) {
		const struct ms_map_row *row = f->items[i];

		ms_sink_printf(&list, "\n  0x%" PRIx64, row->address);
		if (row->entries != MS_UNKNOWN)
			ms_sink_printf(&list, " with %" PRIu64 " entries", row->entries);
		ms_sink_printf(&list, ", %s", row->type ? row->type : "of unknown type");
	}
	if (f->count > SHOWN)
		ms_sink_printf(&list, "\n  and %zu more", f->count - SHOWN);
	text = ms_sink_text(&list);
	err = text ? ms_error_new(MS_ERR_USAGE, "%zu maps are called %s; type one address of%s",
				  f->count, word, text)
		   : ms_error_no_memory();
	ms_sink_deinit(&list);
	return err;
}

static struct ms_error *find_owner(const struct ms_census_report *census, const char *word,
				   const struct ms_map_row **ret_row)
{
	struct found f = { 0 };
	struct ms_error *err = NULL;

	for (size_t i = 0; i < census->map_count && !err; i++) {
		const struct ms_map_row *row = &census->maps[i];

		if (row->owner && owner_matches(row->owner, word) && !ms_vec_push(&f, row))
			err = ms_error_no_memory();
	}
	if (!err && !f.count)
		err = error_none(census, word);
	else if (!err && f.count > 1)
		err = error_several(&f, word);
	if (!err)
		*ret_row = f.items[0];
	ms_vec_free(&f);
	return err;
}

struct ms_error *ms_find_map(const struct ms_census_report *census, const char *word,
			     const struct ms_map_row **ret_row)
{
	const struct ms_map_row *row;
	ms_addr address;

	if (!ms_map_word_is_address(word, &address))
		return find_owner(census, word, ret_row);
	row = ms_census_row_at(census, address);
	if (!row)
		return no_map_at(census, word);
	*ret_row = row;
	return NULL;
}

size_t ms_find_map_count(const struct ms_census_report *census, const char *word)
{
	size_t count = 0;
	ms_addr address;

	if (ms_map_word_is_address(word, &address))
		return ms_census_row_at(census, address) ? 1 : 0;
	for (size_t i = 0; i < census->map_count; i++)
		count += census->maps[i].owner && owner_matches(census->maps[i].owner, word);
	return count;
}
