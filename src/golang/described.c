// described.c - a Go program carries a description of every type that it allocates by itself:
// field names, types and offsets, stripped or not.  The runtime allocates map headers, their
// extras and tables, goroutines, and holds pointers to spans and module data; so in each program
// seen so far, from 1.18 to 1.27 and down to one that only sleeps, the type section describes
//
//	hmap and mapextra, or maps.Map and maps.table; g; mspan; moduledata
//
// The questions of layout_fields.def are asked of these descriptors as they are asked of DWARF.
// An answer that differs from the row's means that the row is not of this program's release; so
// does a descriptor that is missing, for then the row does not tell how to read them.
// What is not described (mheap, the marks inside spans, the types of descriptors themselves, whose
// fields are all exported) is left to the invariants of verify.c.
#include "golang/described.h"

#include "golang/layout_internal.h"
#include "golang/struct_types.h"

#include <inttypes.h>
#include <stdio.h>

enum { WANTED_MAX = 2 * MS_GO_QUESTION_COUNT };

/** A type that some question names, and its descriptor. */
struct wanted {
	const char *name; // "internal/runtime/maps.Map"
	size_t size, package_size;
	size_t short_at; // Where "maps.Map" begins.
	bool found;
	struct ms_struct_type type;
};

struct search {
	const struct ms_types *types;
	const struct ms_go_layout *layout;
	struct wanted wanted[WANTED_MAX];
	size_t count;
};

enum answer {
	NOT_DESCRIBED,
	ABSENT, // The type is described and lacks it.
	ANSWERED,
};

static struct wanted *find_wanted(struct search *s, const char *name, size_t size)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->wanted[i].size == size && !memcmp(s->wanted[i].name, name, size))
			return &s->wanted[i];
	}
	return NULL;
}

static void collect_wanted(struct search *s)
{
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		for (const char *n = ms_go_questions[i].types; n; n = ms_go_next_name(n)) {
			size_t size = ms_go_first_name(n);
			const char *slash = memrchr(n, '/', size), *dot = memrchr(n, '.', size);

			if (!dot || find_wanted(s, n, size) || s->count == WANTED_MAX)
				continue;
			s->wanted[s->count++] =
			    (struct wanted){ .name = n,
					     .size = size,
					     .package_size = (size_t)(dot - n),
					     .short_at = slash ? (size_t)(slash - n) + 1 : 0 };
		}
	}
}

static void take(struct search *s, const struct ms_struct_type *type)
{
	for (size_t i = 0; i < s->count; i++) {
		struct wanted *w = &s->wanted[i];

		if (w->found || w->size - w->short_at != type->name_size ||
		    memcmp(w->name + w->short_at, type->name, type->name_size) != 0 ||
		    !type->package || type->package_size != w->package_size ||
		    memcmp(w->name, type->package, w->package_size) != 0)
			continue;
		w->found = true;
		w->type = *type;
	}
}

static void find_all(struct search *s)
{
	struct ms_struct_scan scan = { 0 };
	struct ms_struct_type type;

	while (ms_struct_types_next(s->types, s->layout, &scan, &type))
		take(s, &type);
}

/** One fact about one described type. */
static bool ask_type(const struct search *s, const struct ms_go_question *q,
		     const struct ms_struct_type *type, const char *path, uint64_t *ret_value)
{
	struct ms_struct_field field, to;

	if (q->fact == MS_GO_FACT_SIZE) {
		*ret_value = type->bytes;
		return true;
	}
	if (!ms_struct_type_follow(s->types, s->layout, type, path, ms_go_first_name(path), &field))
		return false;
	*ret_value = field.offset;
	if (q->fact == MS_GO_FACT_FIELD_SIZE)
		return ms_type_bytes(s->types, s->layout, field.type, ret_value);
	if (q->fact != MS_GO_FACT_DISTANCE)
		return true;
	if (!ms_struct_type_follow(s->types, s->layout, type, q->to, strlen(q->to), &to) ||
	    to.offset < field.offset)
		return false;
	*ret_value = to.offset - field.offset;
	return true;
}

static enum answer ask(struct search *s, const struct ms_go_question *q, uint64_t *ret_value)
{
	enum answer answer = NOT_DESCRIBED;

	for (const char *name = q->types; name; name = ms_go_next_name(name)) {
		const struct wanted *w = find_wanted(s, name, ms_go_first_name(name));

		if (!w || !w->found)
			continue;
		answer = ABSENT;
		for (const char *path = q->path; path; path = ms_go_next_name(path)) {
			uint64_t value;

			if (ask_type(s, q, &w->type, path, &value)) {
				*ret_value = value;
				return ANSWERED;
			}
		}
	}
	return answer;
}

static bool is_asked(const struct ms_go_layout *l, const struct ms_go_question *q)
{
	return q->asked == MS_GO_ASKED_ALWAYS ||
	       (q->asked == MS_GO_ASKED_CLASSIC) == (l->maps == MS_GO_MAPS_CLASSIC);
}

static void print_answer(char text[24], bool absent, uint64_t value)
{
	if (absent)
		snprintf(text, 24, "none");
	else
		snprintf(text, 24, "%" PRIu64, value);
}

/** One fact of each type that every program describes. */
static bool is_needed(const struct ms_go_question *q)
{
	static const char *const members[] = { "module_next", "mspan_size", "g_goid", "hmap_size",
					       "map_size" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(members); i++) {
		if (!strcmp(members[i], q->member))
			return true;
	}
	return false;
}

static struct ms_error *check(struct search *s, const struct ms_go_question *q)
{
	uint32_t expected = ms_go_layout_answer(s->layout, q);
	uint64_t found = MS_ABSENT;
	enum answer answer = ask(s, q, &found);
	char texts[2][24];

	if (answer == NOT_DESCRIBED && is_needed(q))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: the program's own types: expected %s "
				    "among them, found none",
				    q->types);
	if (answer == NOT_DESCRIBED || found == expected)
		return NULL;
	print_answer(texts[0], expected == MS_ABSENT, expected);
	print_answer(texts[1], answer == ABSENT, found);
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "layout check failed: %s in the program's own types: expected %s, "
			    "found %s",
			    q->member, texts[0], texts[1]);
}

struct ms_error *ms_go_described_check(const struct ms_types *types,
				       const struct ms_go_layout *layout)
{
	struct search s = { .types = types, .layout = layout };
	struct ms_error *err = NULL;

	collect_wanted(&s);
	find_all(&s);
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT && !err; i++) {
		if (is_asked(layout, &ms_go_questions[i]))
			err = check(&s, &ms_go_questions[i]);
	}
	return err;
}
