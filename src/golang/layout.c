// layout.c - finding and comparing layouts.
//
// A layout is answers to the questions of layout_fields.def.  The file becomes one table here, so
// that comparing, printing and reading are loops over the table and no list is kept twice.
#include "golang/layout_internal.h"

#define QUESTION(member, types, path, to, fact, asked)                                             \
	{ #member, types, path, to, fact, asked, offsetof(struct ms_go_layout, member) },
#define OFFSET(member, types, path)                                                                \
	QUESTION(member, types, path, "", MS_GO_FACT_OFFSET, MS_GO_ASKED_ALWAYS)
#define SIZE(member, types) QUESTION(member, types, "", "", MS_GO_FACT_SIZE, MS_GO_ASKED_ALWAYS)
#define FIELD_SIZE(member, types, path)                                                            \
	QUESTION(member, types, path, "", MS_GO_FACT_FIELD_SIZE, MS_GO_ASKED_ALWAYS)
#define DISTANCE(member, types, from, to)                                                          \
	QUESTION(member, types, from, to, MS_GO_FACT_DISTANCE, MS_GO_ASKED_ALWAYS)
#define CLASSIC_OFFSET(member, types, path)                                                        \
	QUESTION(member, types, path, "", MS_GO_FACT_OFFSET, MS_GO_ASKED_CLASSIC)
#define CLASSIC_SIZE(member, types)                                                                \
	QUESTION(member, types, "", "", MS_GO_FACT_SIZE, MS_GO_ASKED_CLASSIC)
#define SWISS_OFFSET(member, types, path)                                                          \
	QUESTION(member, types, path, "", MS_GO_FACT_OFFSET, MS_GO_ASKED_SWISS)
#define SWISS_SIZE(member, types)                                                                  \
	QUESTION(member, types, "", "", MS_GO_FACT_SIZE, MS_GO_ASKED_SWISS)

const struct ms_go_question ms_go_questions[MS_GO_QUESTION_COUNT] = {
#include "golang/layout_fields.def"
};

uint32_t ms_go_layout_answer(const struct ms_go_layout *layout, const struct ms_go_question *q)
{
	return ms_load_u32((const uint8_t *)layout + q->at);
}

void ms_go_layout_set_answer(struct ms_go_layout *layout, const struct ms_go_question *q,
			     uint32_t value)
{
	memcpy((uint8_t *)layout + q->at, &value, sizeof(value));
}

const struct ms_go_layout *ms_go_layout_find(int release, enum ms_arch arch, unsigned experiments)
{
	for (size_t i = 0; i < ms_go_layout_row_count; i++) {
		const struct ms_go_layout *row = &ms_go_layout_rows[i];

		if (release >= row->since && release < row->until && arch == row->arch &&
		    experiments == row->experiments)
			return row;
	}
	return NULL; // The caller reports it.  The nearest row is a guess, not a layout.
}

size_t ms_go_layout_count(void)
{
	return ms_go_layout_row_count;
}

const struct ms_go_layout *ms_go_layout_at(size_t index)
{
	return &ms_go_layout_rows[index];
}

const char *ms_go_layout_difference(const struct ms_go_layout *a, const struct ms_go_layout *b)
{
	if (a->maps != b->maps)
		return "maps";
	if ((a->experiments ^ b->experiments) & MS_GO_EXP_SPLIT_GROUP)
		return "mapsplitgroup"; // The only one that moves none of the facts asked for.
	for (size_t i = 0; i < MS_GO_QUESTION_COUNT; i++) {
		const struct ms_go_question *q = &ms_go_questions[i];

		if (ms_go_layout_answer(a, q) != ms_go_layout_answer(b, q))
			return q->member;
	}
	if (a->size_class_count != b->size_class_count)
		return "size_class_count";
	if (memcmp(a->size_classes, b->size_classes,
		   a->size_class_count * sizeof(*a->size_classes)) != 0)
		return "size_classes";
	return NULL;
}
