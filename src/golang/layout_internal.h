// layout_internal.h - the question file as data, for the code that asks, prints or compares.
#pragma once

#include "golang/layout.h"

enum ms_go_fact {
	MS_GO_FACT_OFFSET,
	MS_GO_FACT_SIZE,
	MS_GO_FACT_FIELD_SIZE,
	MS_GO_FACT_DISTANCE,
};

/** Which maps a target must have for a question to be asked. */
enum ms_go_asked {
	MS_GO_ASKED_ALWAYS,
	MS_GO_ASKED_CLASSIC,
	MS_GO_ASKED_SWISS,
};

/** One line of layout_fields.def. */
struct ms_go_question {
	const char *member;
	const char *types; // Names divided by '|', tried in order.
	const char *path;  // Paths divided by '|', tried in order; "" for the type itself.
	const char *to;    // For MS_GO_FACT_DISTANCE: the later field; else "".
	enum ms_go_fact fact;
	enum ms_go_asked asked;
	size_t at; // Where the answer stands in struct ms_go_layout.
};

/** The length of the first of the names divided by '|'. */
static inline size_t ms_go_first_name(const char *names)
{
	return strcspn(names, "|");
}

/** What follows the first of the names, or NULL when there is no more. */
static inline const char *ms_go_next_name(const char *names)
{
	names += ms_go_first_name(names);
	return *names ? names + 1 : NULL;
}

/** What a binary's DWARF answered to one question; type and path point into the question. */
struct ms_go_answer {
	uint32_t value;
	const char *type; // NULL when the value is MS_ABSENT.
	int type_len;
	const char *path;
	int path_len;
};

#define ONE(...) +1
#define OFFSET ONE
#define SIZE ONE
#define FIELD_SIZE ONE
#define DISTANCE ONE
#define CLASSIC_OFFSET ONE
#define CLASSIC_SIZE ONE
#define SWISS_OFFSET ONE
#define SWISS_SIZE ONE
enum {
	MS_GO_QUESTION_COUNT = 0
#include "golang/layout_fields.def"
};
#undef OFFSET
#undef SIZE
#undef FIELD_SIZE
#undef DISTANCE
#undef CLASSIC_OFFSET
#undef CLASSIC_SIZE
#undef SWISS_OFFSET
#undef SWISS_SIZE
#undef ONE

extern const struct ms_go_question ms_go_questions[MS_GO_QUESTION_COUNT];

uint32_t ms_go_layout_answer(const struct ms_go_layout *layout, const struct ms_go_question *q);
void ms_go_layout_set_answer(struct ms_go_layout *layout, const struct ms_go_question *q,
			     uint32_t value);

/** Like ms_go_layout_from_dwarf, and says which type and path gave each answer. */
MS_MUST_USE struct ms_error *
ms_go_layout_from_dwarf_explained(int exe_fd, struct ms_go_layout *ret_layout,
				  uint16_t ret_classes[128],
				  struct ms_go_answer ret_answers[MS_GO_QUESTION_COUNT]);

/** What an experiment does to layouts when it is not as by default. */
enum ms_go_effect {
	MS_GO_EFFECT_UNKNOWN, // Nobody has looked at it in this release.
	MS_GO_EFFECT_NEUTRAL,
	MS_GO_EFFECT_ROW,     // It has a bit of ms_go_experiment, and rows.
	MS_GO_EFFECT_REFUSED, // It changes what we read and has no row.
};

/** @p name is one experiment, with or without "no" in front. */
enum ms_go_effect ms_go_experiment_effect(int release, const char *name);

/** layout_rows.c, generated. */
extern const struct ms_go_layout ms_go_layout_rows[];
extern const size_t ms_go_layout_row_count;
