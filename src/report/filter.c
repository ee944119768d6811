// filter.c - regular expressions over the owners and types of a million rows.
//
// Rows of one owner stand next to each other more often than not and share the string, so the last
// answer is kept by address: a fleet of maps costs one match.
//
// The C library writes a repetition out: a+ is aa*, a{9} nine of them, and repetitions of
// repetitions multiply.  A pattern of a hundred bytes can ask for all memory there is, so its size
// is counted first.
#include "report/filter.h"

#include <ctype.h>

enum { DEPTH_MAX = 64, ATOMS_MAX = 1 << 16 };

/** A group under way: its atoms so far, without the last, which may be repeated. */
struct group {
	uint64_t sum, last;
};

/** More than too many is too many: nothing overflows. */
static uint64_t capped(uint64_t atoms)
{
	return ms_min_u64(atoms, ATOMS_MAX + 1);
}

static void add_atom(struct group *g, uint64_t atoms)
{
	g->sum = capped(g->sum + g->last);
	g->last = capped(atoms);
}

/** Behind the ']' that closes the '[' at @p text; at its end where none does. */
static const char *skip_bracket(const char *text)
{
	text += text[1] == '^' ? 2 : 1;
	if (*text == ']')
		text++;
	while (*text && *text != ']')
		text++;
	return *text ? text + 1 : text;
}

/** How many times "{m,n}" repeats, and where that ends. */
static uint64_t times(const char *text, const char **ret_end)
{
	uint64_t most = 1, number = 0;

	for (text++; isdigit((unsigned char)*text) || *text == ','; text++) {
		number = *text == ',' ? 0 : number * 10 + (uint64_t)(*text - '0');
		number = ms_min_u64(number, ATOMS_MAX);
		most = ms_max_u64(most, number + 1); // {m,} has one more.
	}
	*ret_end = *text == '}' ? text + 1 : text;
	return most;
}

/** Atoms of a pattern as it is written out; UINT64_MAX where it is nested too deeply. */
static uint64_t atoms_of(const char *text)
{
	struct group groups[DEPTH_MAX] = { 0 };
	size_t depth = 0;

	while (*text) {
		struct group *g = &groups[depth];
		char c = *text;

		if (c == '[') {
			add_atom(g, 1);
			text = skip_bracket(text);
			continue;
		}
		if (c == '{') {
			g->last = capped(g->last * times(text, &text));
			continue;
		}
		if (c == '(') {
			if (++depth == DEPTH_MAX)
				return UINT64_MAX;
			groups[depth] = (struct group){ 0 };
		} else if (c == ')' && depth) {
			add_atom(g - 1, g->sum + g->last + 1);
			depth--;
		} else if (c == '+') {
			g->last = capped(g->last * 2);
		} else if (c != '*' && c != '?') {
			add_atom(g, 1);
		}
		text += c == '\\' && text[1] ? 2 : 1;
	}
	while (depth--)
		add_atom(&groups[depth], groups[depth + 1].sum + groups[depth + 1].last);
	return groups[0].sum + groups[0].last;
}

struct ms_error *ms_pattern_init(struct ms_pattern *pattern, const char *option, const char *text)
{
	char why[128];
	int status;

	*pattern = (struct ms_pattern){ 0 };
	if (!text)
		return NULL;
	if (atoms_of(text) > ATOMS_MAX)
		return ms_error_new(MS_ERR_USAGE,
				    "%s %s is over %d characters long where its repetitions are "
				    "written out, or nested too deeply; put fewer of + and {} into "
				    "each other",
				    option, text, ATOMS_MAX);
	status = regcomp(&pattern->compiled, text, REG_EXTENDED | REG_NOSUB);
	if (status == REG_ESPACE)
		return ms_error_no_memory();
	if (status) {
		regerror(status, &pattern->compiled, why, sizeof(why));
		return ms_error_new(MS_ERR_USAGE,
				    "%s %s is no regular expression: %s; put a backslash before "
				    "what is meant as it stands",
				    option, text, why);
	}
	pattern->text = text;
	return NULL;
}

bool ms_pattern_matches(struct ms_pattern *pattern, const char *text)
{
	if (!pattern->text)
		return true;
	if (!text)
		return false;
	if (pattern->last != text) {
		pattern->last = text;
		pattern->last_matches = regexec(&pattern->compiled, text, 0, NULL, 0) == 0;
	}
	return pattern->last_matches;
}

void ms_pattern_deinit(struct ms_pattern *pattern)
{
	if (pattern->text)
		regfree(&pattern->compiled);
	*pattern = (struct ms_pattern){ 0 };
}

struct ms_error *ms_row_filter_init(struct ms_row_filter *filter, const char *owner,
				    const char *type)
{
	struct ms_error *err;

	*filter = (struct ms_row_filter){ 0 };
	err = ms_pattern_init(&filter->owner, "--owner", owner);
	if (!err)
		err = ms_pattern_init(&filter->type, "--type", type);
	if (err)
		ms_row_filter_deinit(filter);
	return err;
}

struct ms_error *ms_row_filter_init_either(struct ms_row_filter *filter, const char *text)
{
	struct ms_error *err = ms_row_filter_init(filter, text, text);

	filter->either = !err;
	return err;
}

bool ms_row_filter_passes(struct ms_row_filter *filter, const char *owner, const char *type)
{
	if (filter && filter->either)
		return ms_pattern_matches(&filter->owner, owner) ||
		       ms_pattern_matches(&filter->type, type);
	return !filter || (ms_pattern_matches(&filter->owner, owner) &&
			   ms_pattern_matches(&filter->type, type));
}

bool ms_row_filter_is_set(const struct ms_row_filter *filter)
{
	return filter && (filter->owner.text || filter->type.text);
}

void ms_row_filter_deinit(struct ms_row_filter *filter)
{
	if (!filter)
		return;
	ms_pattern_deinit(&filter->owner);
	ms_pattern_deinit(&filter->type);
}
