// roots.c - where a walk begins, in the order in which owners are worth naming:
//
//	1. variables of the program's own packages, then those of the standard library
//	2. interfaces in the module's data that no variable accounts for
//	3. what goroutines that rest have on their stacks
//	4. objects whose memory names their type, but that nothing typed leads to
#include "walk/walk_internal.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/globals.h"
#include "golang/goroutines.h"

enum {
	WORD_BYTES = 8,
	SCAN_BYTES = 1 << 20,
	STACKS_BYTES = 16 << 20,
	STACK_BYTES_MAX = 1 << 20,
};

// --- Variables. ---

/** The standard library's paths have no dot in their first part; so has main. */
static bool is_own(const char *variable)
{
	const char *slash = strchr(variable, '/'), *dot = strchr(variable, '.');

	if (!strncmp(variable, "main.", 5))
		return true;
	return slash && dot && dot < slash;
}

/** The number of the root called as this variable; neighbours are of one variable. */
static uint32_t root_of(struct ms_walk *w, const char *variable)
{
	if (w->roots.count > 1 && w->roots.items[w->roots.count - 1] == variable)
		return (uint32_t)(w->roots.count - 1);
	return ms_walk_root(w, variable);
}

static void begin_typed(struct ms_walk *w, const struct ms_go_typed *t)
{
	ms_plan_id type = ms_plans_get(&w->plans, t->type);
	ms_label label = ms_label_whole(
	    &w->labels, ms_labels_text(&w->labels, t->variable, strlen(t->variable)));
	struct ms_walk_item item = { .address = t->address, .type = type, .count = 1 };
	uint8_t words[3 * WORD_BYTES];
	struct ms_error *err;

	if (!type)
		return;
	label = ms_label_extend(&w->labels, label,
				ms_labels_text(&w->labels, t->path, strlen(t->path)));
	item.label = label;
	item.root = root_of(w, t->variable) & 0xffffff;
	item.kind = MS_WALK_ROOTED;
	w->summary.roots++;
	if (t->shape == MS_GO_TYPED_VALUE) {
		ms_walk_push(w, item);
		return;
	}
	err = ms_target_read(w->rt->target, t->address, words,
			     t->shape == MS_GO_TYPED_SLICE ? sizeof(words) : WORD_BYTES);
	if (err) {
		ms_error_free(err);
		return;
	}
	if (t->shape == MS_GO_TYPED_SLICE)
		ms_walk_meet_values(w, ms_load_u64(words), type,
				    ms_load_u64(words + 2 * WORD_BYTES),
				    ms_label_element(&w->labels, label), item.root);
	else
		ms_walk_meet_values(w, ms_load_u64(words), type, 1, label, item.root);
}

/** Maps whose own type the program does not describe, only those of their keys and elems. */
static void begin_slots(struct ms_walk *w, const struct ms_go_globals *g)
{
	for (size_t i = 0; i < g->slots.count; i++) {
		const struct ms_go_slot *slot = &g->slots.items[i];
		const struct ms_map_type *type = NULL;
		uint8_t word[WORD_BYTES];
		struct ms_error *err;

		if (slot->pointer != MS_GO_NO_POINTER)
			continue;
		for (size_t k = 0; k < w->types->count && !type; k++) {
			if (w->types->items[k].key == slot->key &&
			    w->types->items[k].elem == slot->elem)
				type = &w->types->items[k];
		}
		err = ms_target_read(w->rt->target, slot->address, word, sizeof(word));
		if (err || !type || !ms_load_u64(word)) {
			ms_error_free(err);
			continue;
		}
		ms_walk_meet_map(
		    w, ms_load_u64(word), ms_plans_get(&w->plans, type->address),
		    ms_label_whole(&w->labels, ms_labels_text(&w->labels, slot->owner,
							      strlen(slot->owner))),
		    0, slot->address);
	}
}

static struct ms_error *from_variables(struct ms_walk *w)
{
	const struct ms_go_globals *g;
	struct ms_error *err = ms_go_globals_load(w->rt, &g);

	if (err)
		return err;
	for (unsigned own = 2; own-- > 0 && !err;) {
		for (size_t i = 0; i < g->typed.count; i++) {
			if (is_own(g->typed.items[i].variable) == (own == 1))
				begin_typed(w, &g->typed.items[i]);
		}
		if (own)
			begin_slots(w, g);
		err = ms_walk_drain(w);
	}
	return err;
}

// --- Data. ---

/** The variable at @p address as a root; 0 when it has no name left. */
static uint32_t root_at(struct ms_walk *w, ms_addr address, ms_label *ret_label)
{
	const struct ms_symbol *s = ms_symbols_find(&w->symbols, address - w->rt->elf.bias);
	const char *name = s ? s->name : NULL;

	*ret_label = 0;
	if (!name)
		return 0;
	*ret_label = ms_label_whole(&w->labels, ms_labels_text(&w->labels, name, strlen(name)));
	return root_of(w, name);
}

static void scan_words(struct ms_walk *w, const uint8_t *bytes, size_t size, ms_addr address)
{
	for (size_t at = 0; at + 2 * WORD_BYTES <= size; at += WORD_BYTES) {
		ms_addr word = ms_load_u64(bytes + at);
		ms_addr value = ms_load_u64(bytes + at + WORD_BYTES);
		ms_plan_id type;
		ms_label label;
		uint32_t root;

		if (!word || (word & 7) || !value || !ms_spans_find(&w->spans, value))
			continue;
		type = ms_walk_interface_type(w, word, false);
		if (!type)
			type = ms_walk_interface_type(w, word, true);
		if (!type)
			continue;
		w->summary.roots++;
		root = root_at(w, address + at, &label);
		ms_walk_meet_interface(w, type, value, address + at + WORD_BYTES, label, root);
	}
}

static struct ms_error *from_range(struct ms_walk *w, ms_addr start, ms_addr end)
{
	MS_AUTO_FREE uint8_t *buf = malloc(SCAN_BYTES);

	if (!buf)
		return ms_error_no_memory();
	for (ms_addr at = ms_round_up(start, 8); at < end; at += SCAN_BYTES - 2 * WORD_BYTES) {
		size_t size = (size_t)ms_min_u64(SCAN_BYTES, end - at);
		struct ms_error *err = ms_target_read(w->rt->target, at, buf, size);

		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (!err)
			scan_words(w, buf, size, at);
		ms_error_free(err);
		if (w->stopped)
			return NULL;
	}
	return NULL;
}

static struct ms_error *from_data(struct ms_walk *w)
{
	struct ms_error *err = NULL;

	for (size_t i = 0; i < w->rt->module_count && !err; i++) {
		const struct ms_go_module *m = &w->rt->modules[i];

		err = from_range(w, m->data, m->edata);
		if (!err)
			err = from_range(w, m->bss, m->ebss);
	}
	return err ? err : ms_walk_drain(w);
}

// --- Stacks. ---

static bool rests(const struct ms_goroutine *g)
{
	return g->status != MS_GO_RUNNING && g->status != MS_GO_COPYSTACK && g->sp >= g->stack_lo &&
	       g->sp < g->stack_hi && !(g->sp & 7);
}

static void begin_stack(struct ms_walk *w, const struct ms_goroutine *g, const uint8_t *bytes,
			uint64_t size)
{
	struct ms_walk_item item = { .address = g->sp, .kind = MS_WALK_UNTYPED };
	const char name[] = "stack of a goroutine";

	item.label =
	    ms_label_whole(&w->labels, ms_labels_text(&w->labels, name, sizeof(name) - 1));
	w->summary.roots++;
	ms_walk_visit(w, &item, bytes, size);
}

static struct ms_error *from_stacks(struct ms_walk *w)
{
	struct ms_goroutines all;
	struct ms_error *err = ms_goroutines_load(w->rt, &all);

	if (err && (ms_error_code(err) == MS_ERR_FAULT || ms_error_code(err) == MS_ERR_BAD_DATA)) {
		ms_error_free(err);
		return NULL;
	}
	for (size_t first = 0; !err && first < all.count && !w->stopped;) {
		size_t last = first;
		uint64_t bytes = 0;
		uint32_t index;

		ms_fetch_reset(&w->fetch);
		for (; last < all.count && bytes < STACKS_BYTES && !err; last++) {
			const struct ms_goroutine *g = &all.items[last];
			uint64_t size = rests(g) ? ms_min_u64(g->stack_hi - g->sp, STACK_BYTES_MAX)
						 : WORD_BYTES;

			err = ms_fetch_add(&w->fetch, rests(g) ? g->sp : g->address, (uint32_t)size,
					   &index);
			bytes += size;
		}
		if (!err)
			err = ms_fetch_run(&w->fetch, w->rt->target);
		for (size_t i = first; i < last && !err; i++) {
			const uint8_t *stack = ms_fetch_bytes(&w->fetch, (uint32_t)(i - first));

			if (stack && rests(&all.items[i]))
				begin_stack(w, &all.items[i], stack,
					    w->fetch.wants[i - first].size);
		}
		if (!err)
			err = ms_walk_drain(w);
		first = last;
	}
	ms_goroutines_deinit(&all);
	return err;
}

struct ms_error *ms_walk_from_roots(struct ms_walk *w)
{
	struct ms_error *err = from_variables(w);

	if (!err)
		err = from_data(w);
	if (!err)
		err = from_stacks(w);
	if (!err)
		err = ms_walk_drain_all(w);
	return err;
}
