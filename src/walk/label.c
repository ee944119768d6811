// label.c - two tables of their own kind: texts by their bytes, steps by what they are made of.
#include "walk/label.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/vec.h"

enum {
	LABELS_MAX = 1 << 20,
	TEXTS_MAX = 1 << 20,
	TEXT_BYTES_MAX = 1000,
	TEXT_BYTES_OF_ALL_MAX = 128 << 20,
	SLOTS_MIN = 1024,
	STEPS_MAX = 12, // Of one label; what goes on for longer stands still.
	LABEL_BYTES_MAX = 2000,
};

enum step_kind {
	STEP_WHOLE,   // a: text
	STEP_FIELD,   // a: type's text, b: path
	STEP_EXTEND,  // a: label, b: path
	STEP_ELEMENT, // a: label
	STEP_POINTEE, // a: label
};

struct ms_label_step {
	uint32_t a, b;
	uint8_t kind;
	uint8_t depth;
};

static uint64_t mix(uint64_t h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccd;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53;
	return h ^ h >> 33;
}

static uint64_t text_hash(const char *text, size_t size)
{
	return mix(ms_hash_text(text, size));
}

/** Room for one more in a table of slots at most half full; rehashes with @p hash_of. */
static bool slots_reserve(uint32_t **slots, size_t *slot_count, size_t count,
			  uint64_t (*hash_of)(const struct ms_labels *, size_t),
			  const struct ms_labels *labels)
{
	size_t wanted = *slot_count ? *slot_count : SLOTS_MIN;
	uint32_t *fresh;

	if (*slot_count && (count + 1) * 2 <= *slot_count)
		return true;
	while ((count + 1) * 2 > wanted)
		wanted *= 2;
	fresh = calloc(wanted, sizeof(*fresh));
	if (!fresh)
		return false;
	for (size_t i = 1; i < count; i++) {
		size_t at = hash_of(labels, i) & (wanted - 1);

		while (fresh[at])
			at = (at + 1) & (wanted - 1);
		fresh[at] = (uint32_t)i;
	}
	free(*slots);
	*slots = fresh;
	*slot_count = wanted;
	return true;
}

static uint64_t hash_of_text(const struct ms_labels *labels, size_t i)
{
	return text_hash(labels->texts[i], strlen(labels->texts[i]));
}

static uint64_t step_hash(uint8_t kind, uint32_t a, uint32_t b)
{
	return mix(((uint64_t)a << 32 | b) + kind * 0x9e3779b97f4a7c15);
}

static uint64_t hash_of_step(const struct ms_labels *labels, size_t i)
{
	const struct ms_label_step *s = &labels->steps[i];

	return step_hash(s->kind, s->a, s->b);
}

/** Numbers 0 are taken by nothing. */
static bool labels_begin(struct ms_labels *l)
{
	if (!l->text_count) {
		if (!ms_vec_reserve_raw((void **)&l->texts, &l->text_capacity, 1,
					sizeof(*l->texts)))
			return false;
		l->texts[l->text_count++] = "";
	}
	if (!l->count) {
		if (!ms_vec_reserve_raw((void **)&l->steps, &l->capacity, 1, sizeof(*l->steps)))
			return false;
		l->steps[l->count++] = (struct ms_label_step){ 0 };
	}
	return true;
}

static uint32_t give_up(struct ms_labels *l, bool memory)
{
	if (memory)
		l->out_of_memory = true;
	else
		l->cut = true;
	return 0;
}

ms_label_text ms_labels_text(struct ms_labels *l, const char *text, size_t size)
{
	const char *copy;
	size_t at;

	size = strnlen(text, size < TEXT_BYTES_MAX ? size : TEXT_BYTES_MAX);
	if (!size)
		return 0;
	if (!labels_begin(l) ||
	    !slots_reserve(&l->text_slots, &l->text_slot_count, l->text_count, hash_of_text, l))
		return give_up(l, true);
	at = text_hash(text, size) & (l->text_slot_count - 1);
	for (; l->text_slots[at]; at = (at + 1) & (l->text_slot_count - 1)) {
		const char *known = l->texts[l->text_slots[at]];

		if (!strncmp(known, text, size) && !known[size])
			return l->text_slots[at];
	}
	if (l->text_count >= TEXTS_MAX || l->text_bytes + size > TEXT_BYTES_OF_ALL_MAX)
		return give_up(l, false);
	copy = ms_arena_strndup(&l->arena, text, size);
	if (!copy || !ms_vec_reserve_raw((void **)&l->texts, &l->text_capacity, l->text_count + 1,
					 sizeof(*l->texts)))
		return give_up(l, true);
	l->texts[l->text_count] = copy;
	l->text_bytes += size;
	l->text_slots[at] = (uint32_t)l->text_count;
	return (ms_label_text)l->text_count++;
}

static ms_label step_get(struct ms_labels *l, enum step_kind kind, uint32_t a, uint32_t b,
			 uint8_t depth)
{
	size_t at;

	if (!labels_begin(l) ||
	    !slots_reserve(&l->slots, &l->slot_count, l->count, hash_of_step, l))
		return give_up(l, true);
	at = step_hash((uint8_t)kind, a, b) & (l->slot_count - 1);
	for (; l->slots[at]; at = (at + 1) & (l->slot_count - 1)) {
		const struct ms_label_step *s = &l->steps[l->slots[at]];

		if (s->kind == kind && s->a == a && s->b == b)
			return l->slots[at];
	}
	if (l->count >= LABELS_MAX)
		return give_up(l, false);
	if (!ms_vec_reserve_raw((void **)&l->steps, &l->capacity, l->count + 1, sizeof(*l->steps)))
		return give_up(l, true);
	l->steps[l->count] = (struct ms_label_step){ a, b, (uint8_t)kind, depth };
	l->slots[at] = (uint32_t)l->count;
	return (ms_label)l->count++;
}

ms_label ms_label_whole(struct ms_labels *l, ms_label_text text)
{
	return text ? step_get(l, STEP_WHOLE, text, 0, 0) : 0;
}

ms_label ms_label_field(struct ms_labels *l, ms_label_text type, ms_label_text path)
{
	return type ? step_get(l, STEP_FIELD, type, path, 0) : 0;
}

/** A further step, unless the label has as many as it may. */
static ms_label step_on(struct ms_labels *l, enum step_kind kind, ms_label holder, uint32_t b)
{
	uint8_t depth;

	if (!holder || holder >= l->count)
		return 0;
	depth = l->steps[holder].depth;
	if (depth >= STEPS_MAX)
		return holder;
	return step_get(l, kind, holder, b, (uint8_t)(depth + 1));
}

ms_label ms_label_extend(struct ms_labels *l, ms_label holder, ms_label_text path)
{
	return path ? step_on(l, STEP_EXTEND, holder, path) : holder;
}

ms_label ms_label_element(struct ms_labels *l, ms_label holder)
{
	if (holder && holder < l->count && l->steps[holder].kind == STEP_ELEMENT)
		return holder;
	return step_on(l, STEP_ELEMENT, holder, 0);
}

/** True when nothing but the variable itself stands in the label. */
static bool is_variable(const struct ms_labels *l, ms_label label)
{
	const struct ms_label_step *s = &l->steps[label];

	for (unsigned i = 0; i <= STEPS_MAX && s->kind == STEP_EXTEND; i++)
		s = &l->steps[s->a];
	return s->kind == STEP_WHOLE;
}

ms_label ms_label_pointee(struct ms_labels *l, ms_label holder)
{
	if (!holder || holder >= l->count || !is_variable(l, holder))
		return holder;
	return step_on(l, STEP_POINTEE, holder, 0);
}

bool ms_label_is_field(const struct ms_labels *l, ms_label label)
{
	for (unsigned i = 0; label && label < l->count && i <= 2 * STEPS_MAX; i++) {
		const struct ms_label_step *s = &l->steps[label];

		if (s->kind == STEP_WHOLE)
			return false;
		if (s->kind == STEP_FIELD)
			return true;
		label = s->a;
	}
	return false;
}

struct writer {
	char text[LABEL_BYTES_MAX];
	size_t size;
};

static void put(struct writer *w, const char *text)
{
	size_t size = strlen(text);

	if (size >= sizeof(w->text) - w->size)
		size = sizeof(w->text) - w->size - 1;
	memcpy(w->text + w->size, text, size);
	w->size += size;
	w->text[w->size] = 0;
}

static bool ends_in(const struct writer *w, const char *end)
{
	size_t size = strlen(end);

	return w->size >= size && !memcmp(w->text + w->size - size, end, size);
}

static void write_step(const struct ms_labels *l, ms_label label, struct writer *w)
{
	ms_label chain[2 * STEPS_MAX + 2];
	size_t n = 0;

	for (; label && label < l->count && n < MS_ARRAY_SIZE(chain); n++) {
		const struct ms_label_step *s = &l->steps[label];

		chain[n] = label;
		label = s->kind == STEP_WHOLE || s->kind == STEP_FIELD ? 0 : s->a;
	}
	while (n--) {
		const struct ms_label_step *s = &l->steps[chain[n]];
		const char *text;

		switch ((enum step_kind)s->kind) {
		case STEP_WHOLE:
			put(w, l->texts[s->a]);
			break;
		case STEP_FIELD:
			put(w, l->texts[s->a]);
			put(w, l->texts[s->b]);
			break;
		case STEP_EXTEND:
			text = l->texts[s->b];
			put(w, text + (ends_in(w, "[]") && !strncmp(text, "[]", 2) ? 2 : 0));
			break;
		case STEP_ELEMENT:
			if (!ends_in(w, "[]"))
				put(w, "[]");
			break;
		case STEP_POINTEE:
			if (w->size + 1 < sizeof(w->text) && w->text[0] != '*') {
				memmove(w->text + 1, w->text, w->size + 1);
				w->text[0] = '*';
				w->size++;
			}
			break;
		}
	}
}

const char *ms_label_write(const struct ms_labels *l, ms_label label, const char *root,
			   struct ms_arena *arena)
{
	struct writer w = { .size = 0 };

	if (!label || label >= l->count)
		return NULL;
	write_step(l, label, &w);
	if (!w.size)
		return NULL;
	if (root && ms_label_is_field(l, label)) {
		put(&w, " <- ");
		put(&w, root);
	}
	return ms_arena_strndup(arena, w.text, w.size);
}

void ms_labels_deinit(struct ms_labels *l)
{
	free(l->steps);
	free(l->slots);
	free(l->texts);
	free(l->text_slots);
	ms_arena_deinit(&l->arena);
	*l = (struct ms_labels){ 0 };
}
