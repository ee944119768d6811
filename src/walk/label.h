// label.h - where a walk stands, in source words: made of small shared steps, written out at the
// end.
//
// A million maps have a few hundred owners.  So a label is a number; what it says is a step (a
// field, an element) from another label, and equal labels are one.
#pragma once

#include "base/arena.h"
#include "base/types.h"

/** 0 is no label. */
typedef uint32_t ms_label;

/** A text that labels are made of; 0 is the empty one. */
typedef uint32_t ms_label_text;

struct ms_labels {
	struct ms_label_step *steps;
	size_t count, capacity;
	uint32_t *slots; // Index in steps, 0 for an empty slot.
	size_t slot_count;
	const char **texts;
	size_t text_count, text_capacity;
	size_t text_bytes;
	uint32_t *text_slots;
	size_t text_slot_count;
	struct ms_arena arena;
	bool cut;           // There were more labels than the bound: the last ones are nameless.
	bool out_of_memory; // Likewise.
};

/** The number of @p size bytes of text; cut at 1,000 bytes. */
ms_label_text ms_labels_text(struct ms_labels *labels, const char *text, size_t size);

/** A label that is complete in itself: a variable, a stack, a closure's function. */
ms_label ms_label_whole(struct ms_labels *labels, ms_label_text text);

/** A field of a named type: "session.Registry" and ".byConn". */
ms_label ms_label_field(struct ms_labels *labels, ms_label_text type, ms_label_text path);

/** A step on from @p holder: ".orders".  An empty path is the holder. */
ms_label ms_label_extend(struct ms_labels *labels, ms_label holder, ms_label_text path);

/** An element of what @p holder names; an element of an element is written once. */
ms_label ms_label_element(struct ms_labels *labels, ms_label holder);

/** What the variable @p holder points to; other labels stay as they are. */
ms_label ms_label_pointee(struct ms_labels *labels, ms_label holder);

/** True when @p label begins with a type, so that a root has to say which of its values. */
bool ms_label_is_field(const struct ms_labels *labels, ms_label label);

/** Write @p label out into @p arena; NULL when memory is short or there is nothing to say. */
const char *ms_label_write(const struct ms_labels *labels, ms_label label, const char *root,
			   struct ms_arena *arena);

void ms_labels_deinit(struct ms_labels *labels);
