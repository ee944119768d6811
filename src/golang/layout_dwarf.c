// layout_dwarf.c - reading a layout out of a binary's DWARF.
//
// The Go linker writes the descriptions of all types into the compile unit of package runtime, so
// one walk over the top-level entries of a few units finds every type of layout_fields.def; the
// bodies of functions are stepped over.
#include "golang/layout_internal.h"

#include "base/cleanup.h"
#include "golang/dwarf_file.h"

#include <dwarf.h>
#include <inttypes.h>

enum {
	WANTED_MAX = 2 * MS_GO_QUESTION_COUNT,
	ENTRIES_MAX = 16 * 1000 * 1000, // Top-level entries; a 100 MB binary has under one million.
	STRUCT_BYTES_MAX = 1 << 16,     // runtime.p and runtime.mstats have some 10,000.
	CLASSES_MAX = 128,
	CLASS_BYTES_MAX = 32 << 10, // The largest small object in every release.
};

/** A type that some question names, and where it was found. */
struct wanted {
	const char *name;
	size_t len;
	bool found;
	Dwarf_Die die;
};

struct search {
	const struct ms_dwarf_file *file;
	struct wanted wanted[WANTED_MAX];
	size_t wanted_count;
	Dwarf_Die classes; // The variable that holds bytes by size class.
	bool classes_found;
	bool split_group; // Some group type keeps keys and elements apart.
	size_t entries;
};

static struct wanted *find_wanted(struct search *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->wanted_count; i++) {
		if (s->wanted[i].len == len && !memcmp(s->wanted[i].name, name, len))
			return &s->wanted[i];
	}
	return NULL;
}

static void collect_wanted(struct search *s)
{
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		for (const char *n = ms_go_questions[i].types; n; n = ms_go_next_name(n)) {
			size_t len = ms_go_first_name(n);

			if (!find_wanted(s, n, len) && s->wanted_count < WANTED_MAX)
				s->wanted[s->wanted_count++] =
				    (struct wanted){ .name = n, .len = len };
		}
	}
}

static void visit_type(struct search *s, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	Dwarf_Die keys;

	if (!name)
		return;
	if (!strncmp(name, "runtime.", 8) || !strncmp(name, "internal/", 9)) {
		struct wanted *w = find_wanted(s, name, strlen(name));

		if (w && !w->found) {
			w->found = true;
			w->die = *die;
		}
	} else if (!s->split_group && strstr(name, "map.group[")) {
		s->split_group = ms_dwarf_find_member(die, "keys", 4, &keys);
	}
}

static void visit_variable(struct search *s, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);

	if (name && !s->classes_found &&
	    (!strcmp(name, "runtime.class_to_size") ||
	     !strcmp(name, "internal/runtime/gc.SizeClassToSize"))) {
		s->classes_found = true;
		s->classes = *die;
	}
}

static bool is_runtime_unit(Dwarf_Die *unit)
{
	static const char *const names[] = { "runtime", "internal/abi", "internal/runtime/maps",
					     "internal/runtime/gc" };
	const char *name = dwarf_diename(unit);

	for (size_t i = 0; name && i < MS_ARRAY_SIZE(names); i++) {
		if (!strcmp(name, names[i]))
			return true;
	}
	return false;
}

static struct ms_error *walk_unit(struct search *s, Dwarf_Die *unit)
{
	Dwarf_Die die;
	int more = dwarf_child(unit, &die);

	for (; more == 0; more = dwarf_siblingof(&die, &die)) {
		if (++s->entries > ENTRIES_MAX)
			return ms_error_new(MS_ERR_LIMIT, "more than %d top-level DWARF entries",
					    ENTRIES_MAX);
		int tag = dwarf_tag(&die);

		if (tag == DW_TAG_structure_type)
			visit_type(s, &die);
		else if (tag == DW_TAG_variable)
			visit_variable(s, &die);
	}
	return NULL;
}

static struct ms_error *walk_units(struct search *s)
{
	Dwarf_Off at = 0, next;
	size_t header;

	while (dwarf_nextcu(s->file->dwarf, at, &next, &header, NULL, NULL, NULL) == 0) {
		Dwarf_Die unit;

		if (dwarf_offdie(s->file->dwarf, at + header, &unit) && is_runtime_unit(&unit)) {
			struct ms_error *err = walk_unit(s, &unit);
			if (err)
				return err;
		}
		if (next <= at)
			break;
		at = next;
	}
	return NULL;
}

/** Bytes that are read from this offset on: whoever uses the layout takes their being there on
 *  trust, and DWARF may say anything. */
static uint64_t bytes_read(const struct ms_go_question *q)
{
	static const struct {
		const char *member;
		uint64_t bytes;
	} others[] = {
		{ "module_ftab", 24 },
		{ "structtype_fields", 24 },
		{ "maptype_bucket_size", 2 },
		{ "inline_marks_marks", 64 },
		{ "func_entry", 4 },
		{ "func_name", 4 },
		{ "func_npcdata", 4 },
		{ "func_unit", 4 },
		{ "func_id", 1 },
		{ "func_nfuncdata", 1 },
		{ "special_offset", 2 },
		{ "special_kind", 1 },
		{ "uncommontype_package", 4 },
		{ "g_waitreason", 1 },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(others); i++) {
		if (!strcmp(others[i].member, q->member))
			return others[i].bytes;
	}
	return 8;
}

static bool is_inside(const struct ms_go_question *q, Dwarf_Die *type, uint64_t offset)
{
	uint64_t size;

	return ms_dwarf_number_of(type, DW_AT_byte_size, &size) &&
	       ms_range_holds(0, size, offset, bytes_read(q));
}

/** One fact about one type; false when the type lacks the path or the number is absurd. */
static bool ask_type(const struct ms_go_question *q, Dwarf_Die *type, const char *path, size_t len,
		     uint32_t *ret_value)
{
	Dwarf_Die member, member_type;
	uint64_t value, to;

	if (q->fact == MS_GO_FACT_SIZE) {
		// A struct without fields stands for something that this build does not have.
		if (!ms_dwarf_number_of(type, DW_AT_byte_size, &value) || !value ||
		    value > STRUCT_BYTES_MAX)
			return false;
	} else {
		if (!ms_dwarf_follow(type, path, len, &value, &member) ||
		    !is_inside(q, type, value))
			return false;
		if (q->fact == MS_GO_FACT_FIELD_SIZE &&
		    (!ms_dwarf_type_of(&member, &member_type) ||
		     !ms_dwarf_number_of(&member_type, DW_AT_byte_size, &value)))
			return false;
		if (q->fact == MS_GO_FACT_DISTANCE) {
			if (!ms_dwarf_follow(type, q->to, strlen(q->to), &to, &member) ||
			    !is_inside(q, type, to) || to < value)
				return false;
			value = to - value;
		}
	}
	if (value >= MS_ABSENT)
		return false;
	*ret_value = (uint32_t)value;
	return true;
}

static struct ms_go_answer ask(struct search *s, const struct ms_go_question *q)
{
	for (const char *type = q->types; type; type = ms_go_next_name(type)) {
		struct wanted *w = find_wanted(s, type, ms_go_first_name(type));

		if (!w || !w->found)
			continue;
		for (const char *path = q->path; path; path = ms_go_next_name(path)) {
			struct ms_go_answer a = { .type = type,
						  .type_len = (int)ms_go_first_name(type),
						  .path = path,
						  .path_len = (int)ms_go_first_name(path) };

			if (ask_type(q, &w->die, path, ms_go_first_name(path), &a.value))
				return a;
		}
	}
	return (struct ms_go_answer){ .value = MS_ABSENT };
}

static bool may_be_absent(const struct ms_go_layout *layout, const struct ms_go_question *q)
{
	static const char *const members[] = {
		"mspan_large_type",        // From 1.22.
		"inline_marks_size",       // With Green Tea.
		"inline_marks_marks",      // With Green Tea.
		"structfield_offset_anon", // Before 1.19.
		"gc_memory_limit",         // From 1.19.
		"g_parent",                // From 1.21.
		"gc_trigger",              // 1.18 alone.
		"gc_triggered",            // From 1.19.
		"gc_last_stack_scan",      // From 1.19.
	};

	if (q->asked == MS_GO_ASKED_CLASSIC)
		return layout->maps != MS_GO_MAPS_CLASSIC;
	if (q->asked == MS_GO_ASKED_SWISS)
		return layout->maps != MS_GO_MAPS_SWISS;
	for (size_t i = 0; i < MS_ARRAY_SIZE(members); i++) {
		if (!strcmp(members[i], q->member))
			return true;
	}
	return false;
}

static struct ms_error *answer_all(struct search *s, struct ms_go_layout *layout,
				   struct ms_go_answer answers[MS_GO_QUESTION_COUNT])
{
	static const enum ms_go_asked other[] = {
		[MS_GO_MAPS_CLASSIC] = MS_GO_ASKED_SWISS, [MS_GO_MAPS_SWISS] = MS_GO_ASKED_CLASSIC
	};

	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];

		answers[i] = q->asked == other[layout->maps]
				 ? (struct ms_go_answer){ .value = MS_ABSENT }
				 : ask(s, q);
		if (answers[i].value == MS_ABSENT && !may_be_absent(layout, q))
			return ms_error_new(MS_ERR_UNSUPPORTED,
					    "the DWARF does not say %s (%s %s): not a Go release "
					    "that this build knows how to ask",
					    q->member, q->types, q->path);
		ms_go_layout_set_answer(layout, q, answers[i].value);
	}
	return NULL;
}

/** Only one of the two kinds of map is compiled into a program: go by whose header it has. */
static struct ms_error *decide_kind(struct search *s, struct ms_go_layout *layout)
{
	static const char hmap[] = "runtime.hmap", map[] = "internal/runtime/maps.Map";
	struct wanted *classic = find_wanted(s, hmap, sizeof(hmap) - 1);
	struct wanted *swiss = find_wanted(s, map, sizeof(map) - 1);

	if (classic && classic->found) {
		layout->maps = MS_GO_MAPS_CLASSIC;
		return NULL;
	}
	if (!swiss || !swiss->found)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the DWARF describes neither %s nor %s: not a Go program, or "
				    "one without maps",
				    hmap, map);
	layout->maps = MS_GO_MAPS_SWISS;
	layout->experiments = MS_GO_EXP_SWISS;
	if (s->split_group)
		layout->experiments |= MS_GO_EXP_SPLIT_GROUP;
	return NULL;
}

static struct ms_error *read_classes(struct search *s, struct ms_go_layout *layout,
				     uint16_t classes[CLASSES_MAX])
{
	Dwarf_Die type;
	uint64_t addr, bytes;

	if (!s->classes_found || !ms_dwarf_address_of(&s->classes, &addr) ||
	    !ms_dwarf_type_of(&s->classes, &type) ||
	    !ms_dwarf_number_of(&type, DW_AT_byte_size, &bytes))
		return ms_error_new(MS_ERR_UNSUPPORTED, "the DWARF has no table of size classes");
	if (bytes < 4 || bytes > CLASSES_MAX * sizeof(*classes) ||
	    !ms_dwarf_read_data(s->file, addr, classes, bytes))
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the table of size classes (%" PRIu64 " bytes at 0x%" PRIx64
				    ") is not in the file",
				    bytes, addr);
	uint16_t count = (uint16_t)(bytes / sizeof(*classes));

	for (uint16_t i = 1; i < count; i++) {
		if (classes[i] <= classes[i - 1])
			count = 0;
	}
	if (!count || classes[0] || classes[count - 1] != CLASS_BYTES_MAX)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the table of size classes does not rise from 0 to %d",
				    CLASS_BYTES_MAX);
	layout->size_class_count = count;
	return NULL;
}

static struct ms_error *read_layout(struct search *s, struct ms_go_layout *layout,
				    uint16_t classes[CLASSES_MAX],
				    struct ms_go_answer answers[MS_GO_QUESTION_COUNT])
{
	collect_wanted(s);
	struct ms_error *err = walk_units(s);
	if (err)
		return err;
	err = decide_kind(s, layout);
	if (err)
		return err;
	err = answer_all(s, layout, answers);
	if (err)
		return err;
	if (layout->inline_marks_size != MS_ABSENT)
		layout->experiments |= MS_GO_EXP_GREENTEA;
	return read_classes(s, layout, classes);
}

struct ms_error *
ms_go_layout_from_dwarf_explained(int exe_fd, struct ms_go_layout *ret_layout,
				  uint16_t ret_classes[CLASSES_MAX],
				  struct ms_go_answer ret_answers[MS_GO_QUESTION_COUNT])
{
	struct ms_go_answer answers[MS_GO_QUESTION_COUNT];
	struct ms_go_layout layout = { 0 };
	uint16_t classes[CLASSES_MAX];

	MS_AUTO_FREE struct search *s = calloc(1, sizeof(*s));
	if (!s)
		return ms_error_no_memory();
	MS_CLEANUP(ms_dwarf_file_close) struct ms_dwarf_file file = { 0 };
	struct ms_error *err = ms_dwarf_file_open(exe_fd, &file);
	if (err)
		return err;
	s->file = &file;
	layout.arch = file.arch;
	err = read_layout(s, &layout, classes, answers);
	if (err)
		return err;
	memcpy(ret_classes, classes, layout.size_class_count * sizeof(*classes));
	layout.size_classes = ret_classes;
	*ret_layout = layout;
	if (ret_answers)
		memcpy(ret_answers, answers, sizeof(answers));
	return NULL;
}

struct ms_error *ms_go_layout_from_dwarf(int exe_fd, struct ms_go_layout *ret_layout,
					 uint16_t ret_classes[CLASSES_MAX])
{
	return ms_go_layout_from_dwarf_explained(exe_fd, ret_layout, ret_classes, NULL);
}
