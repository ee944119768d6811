// seed_dwarf.c - the smallest DWARF that answers every question of layout_fields.def.
//
// One compile unit: number types, then a struct for each first part of a dotted path, then the
// structs that the questions name, then the table of size classes.
#include "tests/fuzz/seed.h"

#include "golang/layout_internal.h"

#include <dwarf.h>
#include <elf.h>
#include <stdlib.h>

enum {
	TYPES_MAX = 32,
	INNERS_MAX = 8,
	CLASSES_ADDR = 0x600000,
	CODE_UNIT = 1,
	CODE_STRUCT,
	CODE_MEMBER,
	CODE_NUMBER,
	CODE_TYPEDEF,
	CODE_ARRAY,
	CODE_VARIABLE,
};

/** A struct that stands behind the first part of a path: "stack" of "stack.lo". */
struct inner {
	const char *type, *path; // Of its first member.
	uint32_t start, die;
};

struct writer {
	struct seed *info;
	const struct ms_go_layout *layout;
	unsigned pick;
	uint32_t word, narrow; // Number types: a word, and one as long as mspan.nelems.
	struct inner inners[INNERS_MAX];
	size_t inner_count;
};

static void abbreviations(struct seed *s)
{
	static const struct {
		uint8_t code, tag, children;
		uint8_t pairs[7];
	} all[] = {
		{ CODE_UNIT, DW_TAG_compile_unit, 1, { DW_AT_name, DW_FORM_string } },
		{ CODE_STRUCT,
		  DW_TAG_structure_type,
		  1,
		  { DW_AT_name, DW_FORM_string, DW_AT_byte_size, DW_FORM_udata } },
		{ CODE_MEMBER,
		  DW_TAG_member,
		  0,
		  { DW_AT_name, DW_FORM_string, DW_AT_data_member_location, DW_FORM_data4,
		    DW_AT_type, DW_FORM_ref4 } },
		{ CODE_NUMBER, DW_TAG_base_type, 0, { DW_AT_byte_size, DW_FORM_data1 } },
		{ CODE_TYPEDEF, DW_TAG_typedef, 0, { DW_AT_type, DW_FORM_ref4 } },
		{ CODE_ARRAY, DW_TAG_array_type, 0, { DW_AT_byte_size, DW_FORM_data2 } },
		{ CODE_VARIABLE,
		  DW_TAG_variable,
		  0,
		  { DW_AT_name, DW_FORM_string, DW_AT_type, DW_FORM_ref4, DW_AT_location,
		    DW_FORM_exprloc } },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(all); i++) {
		seed_number(s, all[i].code, 1);
		seed_number(s, all[i].tag, 1);
		seed_number(s, all[i].children, 1);
		seed_text(s, (const char *)all[i].pairs);
		seed_number(s, 0, 2);
	}
	seed_number(s, 0, 1);
}

static void name_put(struct seed *s, const char *name, size_t len)
{
	seed_bytes(s, name, len);
	seed_number(s, 0, 1);
}

/** The chosen one of the names divided by '|'. */
static const char *name_pick(const char *names, unsigned pick, size_t *ret_len)
{
	while (pick--) {
		const char *bar = strchr(names, '|');

		if (!bar)
			break;
		names = bar + 1;
	}
	*ret_len = strcspn(names, "|");
	return names;
}

static void uleb(struct seed *s, uint32_t number)
{
	for (; number >= 0x80; number >>= 7)
		seed_number(s, number | 0x80, 1);
	seed_number(s, number, 1);
}

static void struct_start(struct seed *s, const char *name, size_t len, uint32_t size)
{
	seed_number(s, CODE_STRUCT, 1);
	name_put(s, name, len);
	uleb(s, size);
}

static void member(struct seed *s, const char *name, size_t len, uint32_t offset, uint32_t type)
{
	seed_number(s, CODE_MEMBER, 1);
	name_put(s, name, len);
	seed_number(s, offset, 4);
	seed_number(s, type, 4);
}

/** A question that this layout answers, of type @p type (of @p len bytes; NULL for any). */
static bool is_asked(const struct writer *w, const struct ms_go_question *q, const char *type,
		     size_t len)
{
	size_t own_len;
	const char *own = name_pick(q->types, w->pick, &own_len);

	return ms_go_layout_answer(w->layout, q) != MS_ABSENT &&
	       (!type || (own_len == len && !memcmp(own, type, len)));
}

static struct inner *inner_find(struct writer *w, const char *type, const char *path)
{
	size_t first = strcspn(path, ".");

	for (size_t i = 0; i < w->inner_count; i++) {
		struct inner *x = &w->inners[i];

		if (!strcmp(x->type, type) && !strncmp(x->path, path, first + 1))
			return x;
	}
	return NULL;
}

/** The structs behind "stack", "sched" and "groups", each with the members asked for. */
static void inners_put(struct writer *w)
{
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];
		struct inner *x;

		if (!strchr(q->path, '.') || !is_asked(w, q, NULL, 0) ||
		    inner_find(w, q->types, q->path))
			continue;
		x = &w->inners[w->inner_count++];
		*x = (struct inner){ q->types, q->path, ms_go_layout_answer(w->layout, q),
				     (uint32_t)w->info->size };
		struct_start(w->info, "inner", 5, 512);
		for (size_t j = i; j < MS_GO_QUESTION_COUNT; j++) {
			const struct ms_go_question *p = &ms_go_questions[j];
			const char *dot = strchr(p->path, '.');

			if (dot && is_asked(w, p, NULL, 0) && inner_find(w, p->types, p->path) == x)
				member(w->info, dot + 1, strlen(dot + 1),
				       ms_go_layout_answer(w->layout, p) - x->start, w->word);
		}
		seed_number(w->info, 0, 1);
	}
}

static uint32_t struct_size(const struct writer *w, const char *type, size_t len)
{
	uint32_t size = 0;

	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];
		uint32_t answer = ms_go_layout_answer(w->layout, q);

		if (!is_asked(w, q, type, len))
			continue;
		if (q->fact == MS_GO_FACT_SIZE)
			return answer;
		if (q->fact != MS_GO_FACT_FIELD_SIZE && answer + 24 > size)
			size = answer + 24;
	}
	return size;
}

static void members_put(struct writer *w, const char *type, size_t len)
{
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];
		struct inner *x = strchr(q->path, '.') ? inner_find(w, q->types, q->path) : NULL;
		size_t path_len;
		const char *path = name_pick(q->path, w->pick, &path_len);
		uint32_t answer = ms_go_layout_answer(w->layout, q);

		if (!is_asked(w, q, type, len))
			continue;
		if (q->fact == MS_GO_FACT_DISTANCE) {
			member(w->info, path, path_len, 0, w->word);
			member(w->info, q->to, strlen(q->to), answer, w->word);
		}
		if (q->fact != MS_GO_FACT_OFFSET)
			continue;
		if (x && x->path == q->path)
			member(w->info, path, strcspn(path, "."), x->start, x->die);
		else if (!x)
			member(w->info, path, path_len, answer,
			       strcmp(q->member, "mspan_nelems") != 0 ? w->word : w->narrow);
	}
}

static void structs_put(struct writer *w)
{
	const char *done[TYPES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];
		size_t len, d = 0;
		const char *type = name_pick(q->types, w->pick, &len);

		while (d < count &&
		       (strncmp(done[d], type, len) != 0 || (done[d][len] && done[d][len] != '|')))
			d++;
		if (d < count || count == TYPES_MAX || !is_asked(w, q, NULL, 0))
			continue;
		done[count++] = type;
		struct_start(w->info, type, len, struct_size(w, type, len));
		members_put(w, type, len);
		seed_number(w->info, 0, 1);
	}
	if (w->layout->experiments & MS_GO_EXP_SPLIT_GROUP) {
		struct_start(w->info, "map.group[int]int", 17, 200);
		member(w->info, "keys", 4, 8, w->word);
		seed_number(w->info, 0, 1);
	}
}

static void classes_put(struct writer *w)
{
	uint32_t array = (uint32_t)w->info->size;

	seed_number(w->info, CODE_ARRAY, 1);
	seed_number(w->info, w->layout->size_class_count * 2u, 2);
	seed_number(w->info, CODE_VARIABLE, 1);
	seed_string(w->info,
		    w->pick ? "runtime.class_to_size" : "internal/runtime/gc.SizeClassToSize");
	seed_number(w->info, array, 4);
	seed_number(w->info, 9, 1);
	seed_number(w->info, DW_OP_addr, 1);
	seed_number(w->info, CLASSES_ADDR, 8);
}

static void unit_put(struct writer *w)
{
	struct seed *info = w->info;
	uint32_t number;

	seed_number(info, 0, 4); // The length, known at the end.
	seed_number(info, 4, 2);
	seed_number(info, 0, 4);
	seed_number(info, 8, 1);
	seed_number(info, CODE_UNIT, 1);
	seed_string(info, "runtime");
	w->narrow = (uint32_t)info->size;
	seed_number(info, CODE_NUMBER, 1);
	seed_number(info, w->layout->mspan_nelems_bytes, 1);
	number = (uint32_t)info->size;
	seed_number(info, CODE_NUMBER, 1);
	seed_number(info, 8, 1);
	w->word = (uint32_t)info->size;
	seed_number(info, CODE_TYPEDEF, 1);
	seed_number(info, number, 4);
	inners_put(w);
	structs_put(w);
	classes_put(w);
	seed_number(info, 0, 1);
	seed_number_at(info, 0, info->size - 4, 4);
}

void seed_dwarf(struct seed *s, const struct ms_go_layout *layout, unsigned pick)
{
	struct seed *info = calloc(1, sizeof(*info)), *abbrev = calloc(1, sizeof(*abbrev));
	struct writer w = { .info = info, .layout = layout, .pick = pick };

	if (!info || !abbrev)
		abort();
	abbreviations(abbrev);
	unit_put(&w);
	const struct seed_section sections[] = {
		{ ".noptrdata", CLASSES_ADDR, layout->size_classes, layout->size_class_count * 2u,
		  SHT_PROGBITS, PF_R | PF_W },
		{ ".debug_abbrev", 0, abbrev->bytes, abbrev->size, SHT_PROGBITS, 0 },
		{ ".debug_info", 0, info->bytes, info->size, SHT_PROGBITS, 0 },
	};
	seed_elf(s, layout->arch == MS_ARCH_ARM64 ? EM_AARCH64 : EM_X86_64, ET_EXEC, sections,
		 MS_ARRAY_SIZE(sections));
	free(info);
	free(abbrev);
}
