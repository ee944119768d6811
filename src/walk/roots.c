// roots.c - where a walk begins, in the order in which owners are worth naming:
//
//	1. variables of the program's own packages, then those of the standard library
//	2. without debug information: what machine code says of variables
//	3. interfaces and sync.Maps in the module's data that no variable accounts for
//	4. what goroutines that rest have on their stacks
//	5. finalizers
//	6. objects whose memory names their type, but that nothing typed leads to
#include "walk/walk_internal.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/globals.h"

enum {
	WORD_BYTES = 8,
	SCAN_BYTES = 1 << 20,
	SPECIALS_MAX = 4096, // Of one span.
	SPECIALS_AT_ONCE = 1 << 16,
	VARIABLES_LOOK = 256, // Between two looks at the clock.
	CLOSURE_WORDS = 4,    // Behind the head of a special.
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

/** The map type of these keys and elems, or 0. */
static ms_plan_id map_of(struct ms_walk *w, ms_addr key, ms_addr elem)
{
	for (size_t i = 0; i < w->types->count; i++) {
		if (w->types->items[i].key == key && w->types->items[i].elem == elem)
			return ms_plans_get(&w->plans, w->types->items[i].address);
	}
	return 0;
}

static void begin_typed(struct ms_walk *w, const struct ms_go_typed *t)
{
	ms_plan_id type = t->shape == MS_GO_TYPED_MAP ? map_of(w, t->type, t->elem)
						      : ms_plans_get(&w->plans, t->type);
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
	item.root = ms_walk_root(w, t->variable) & 0xffffff;
	item.kind = MS_WALK_ROOTED;
	w->summary.roots++;
	if (t->shape == MS_GO_TYPED_VALUE || t->shape == MS_GO_TYPED_MAP) {
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
		ms_walk_meet_values(w, ms_load_u64(words), type, 1,
				    ms_plans_at(&w->plans, type)->kind == MS_KIND_MAP
					? ms_label_pointee(&w->labels, label)
					: label,
				    item.root);
}

static struct ms_error *from_variables(struct ms_walk *w)
{
	const struct ms_go_globals *g;
	struct ms_error *err = ms_go_globals_load(w->rt, &g);

	if (err)
		return err;
	for (unsigned own = 2; own-- > 0 && !err;) {
		for (size_t i = 0; i < g->typed.count; i++) {
			if (i % VARIABLES_LOOK == 0 && ms_walk_is_over(w))
				return NULL;
			if (is_own(g->typed.items[i].variable) == (own == 1))
				begin_typed(w, &g->typed.items[i]);
		}
		err = ms_walk_drain(w);
	}
	return err;
}

// --- What machine code says of variables. ---

static void begin_global(struct ms_walk *w, const struct ms_code_global *g)
{
	ms_plan_id type = ms_plans_get(&w->plans, g->type);
	uint8_t words[3 * WORD_BYTES] = { 0 };
	struct ms_walk_item item = {
		.address = g->address, .type = type, .count = 1, .kind = MS_WALK_ROOTED
	};
	ms_label label;
	struct ms_error *err;
	uint32_t root;

	if (!type)
		return;
	root = ms_walk_name_variable(w, g->address, &label);
	w->summary.roots++;
	if (g->shape != MS_CODE_SLICE && g->shape != MS_CODE_POINTER) {
		item.label = label;
		item.root = root & 0xffffff;
		ms_walk_push(w, item);
		return;
	}
	err = ms_target_read(w->rt->target, g->address, words,
			     g->shape == MS_CODE_SLICE ? sizeof(words) : WORD_BYTES);
	if (err) {
		ms_error_free(err);
		return;
	}
	if (g->shape == MS_CODE_SLICE)
		ms_walk_meet_values(w, ms_load_u64(words), type,
				    ms_load_u64(words + 2 * WORD_BYTES),
				    ms_label_element(&w->labels, label), root);
	else
		ms_walk_meet_values(w, ms_load_u64(words), type, 1, label, root);
}

/** Only where debug information does not say the same, and more. */
static struct ms_error *from_code(struct ms_walk *w)
{
	const struct ms_go_globals *g;
	struct ms_error *err = ms_go_globals_load(w->rt, &g);

	if (err || g->typed.count || !w->facts)
		return err;
	for (size_t i = 0; i < w->facts->globals.count; i++)
		begin_global(w, &w->facts->globals.items[i]);
	return ms_walk_drain(w);
}

// --- Data. ---

/** Its root is at @p at. */
static void meet_sync_map(struct ms_walk *w, ms_addr top, ms_addr at)
{
	ms_label label;
	uint32_t root = ms_walk_name_variable(w, at - w->sync_map.root, &label);

	w->summary.roots++;
	ms_walk_meet_trie(w, at - w->sync_map.root, top, w->sync_map.branch, label, root);
}

static void scan_words(struct ms_walk *w, const uint8_t *bytes, size_t size, ms_addr address)
{
	const struct ms_walk_words words = { bytes, size, address };

	for (size_t at = 0; at + WORD_BYTES <= size; at += WORD_BYTES) {
		bool last = at + 2 * WORD_BYTES > size;
		ms_addr word = ms_load_u64(bytes + at);
		ms_addr value = last ? 0 : ms_load_u64(bytes + at + WORD_BYTES);
		ms_plan_id type;
		ms_label label;
		uint32_t root;

		if (!word || (word & 7))
			continue;
		if (ms_walk_row_of(w, word) != SIZE_MAX) {
			root = ms_walk_name_variable(w, address + at, &label);
			ms_walk_meet_map(w, word, 0, label, root, address + at);
			continue;
		}
		if (ms_walk_is_sync_map(w, &words, at)) {
			meet_sync_map(w, word, address + at);
			continue;
		}
		if (ms_spans_find(&w->spans, word)) {
			if (ms_walk_is_seen(w, word))
				continue;
			root = ms_walk_name_variable(w, address + at, &label);
			ms_walk_meet_object(w, word, MS_WALK_UNTYPED, 0, label, root);
			continue;
		}
		if (!value || !ms_walk_may_be_object(w, value))
			continue;
		// A type's descriptor may be a variable by itself, and the next word another one:
		// only a span could tell.  An itab is never without its value.
		type = w->spans.has_holes ? 0 : ms_walk_interface_type(w, word, false);
		if (!type)
			type = ms_walk_interface_type(w, word, true);
		if (!type || !ms_walk_map_fits(w, type, value))
			continue;
		w->summary.roots++;
		root = ms_walk_name_variable(w, address + at, &label);
		ms_walk_meet_interface(w, type, value, address + at + WORD_BYTES, label, root);
	}
}

static struct ms_error *from_range(struct ms_walk *w, ms_addr start, ms_addr end)
{
	MS_AUTO_FREE uint8_t *buf = malloc(SCAN_BYTES);

	if (!buf)
		return ms_error_no_memory();
	for (ms_addr at = ms_round_up(start, 8); at < end; at += SCAN_BYTES - WORD_BYTES) {
		size_t size = (size_t)ms_min_u64(SCAN_BYTES, end - at);
		struct ms_error *err = ms_target_read(w->rt->target, at, buf, size);

		if (err && ms_error_code(err) != MS_ERR_FAULT)
			return err;
		if (!err)
			scan_words(w, buf, size, at);
		ms_error_free(err);
		if (w->queue.count > MS_WALK_QUEUE_LONG && (err = ms_walk_drain(w)))
			return err;
		if (ms_walk_is_over(w))
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

// --- Finalizers. ---

/** The next records of some lists, read together; those that go on are kept from @p kept on. */
static struct ms_error *specials_read(struct ms_walk *w, const ms_addr *lists, size_t count,
				      ms_label label, uint32_t root, ms_addr *kept,
				      size_t *ret_left)
{
	const struct ms_go_layout *l = w->layout;
	uint32_t first = l->finalizer_fn & ~7u, size = first + CLOSURE_WORDS * WORD_BYTES;
	struct ms_error *err = NULL;
	size_t left = 0;
	uint32_t index;

	if (l->special_next + (uint64_t)WORD_BYTES > size)
		return ms_error_new(MS_ERR_BAD_DATA, "a special's next lies behind its end");
	ms_fetch_reset(&w->fetch);
	for (size_t i = 0; i < count && !err; i++)
		err = ms_fetch_add(&w->fetch, lists[i], size, &index);
	if (!err && count)
		err = ms_fetch_run(&w->fetch, w->rt->target);
	for (size_t i = 0; i < count && !err; i++) {
		const uint8_t *raw = ms_fetch_bytes(&w->fetch, (uint32_t)i);

		if (!raw)
			continue;
		// Finalizers and cleanups have it in one of these; it is known by its function.
		for (uint32_t at = first; at < size; at += WORD_BYTES)
			ms_walk_meet_object(w, ms_load_u64(raw + at), MS_WALK_CLOSURE, 0, label,
					    root);
		if (ms_load_u64(raw + l->special_next))
			kept[left++] = ms_load_u64(raw + l->special_next);
	}
	*ret_left = left;
	return err;
}

/** One round: one step down each list. */
static struct ms_error *specials_step(struct ms_walk *w, ms_addr *lists, size_t count,
				      ms_label label, uint32_t root, size_t *ret_left)
{
	size_t kept = 0, left = 0;

	for (size_t i = 0; i < count; i += SPECIALS_AT_ONCE) {
		size_t some = (size_t)ms_min_u64(SPECIALS_AT_ONCE, count - i);
		struct ms_error *err =
		    specials_read(w, lists + i, some, label, root, lists + kept, &left);

		if (err)
			return err;
		kept += left;
		if (ms_walk_is_over(w))
			break;
	}
	*ret_left = kept;
	return NULL;
}

static struct ms_error *from_finalizers(struct ms_walk *w)
{
	static const char name[] = "finalizer";
	MS_AUTO_FREE ms_addr *lists = calloc(w->spans.count + 1, sizeof(*lists));
	ms_label label =
	    ms_label_whole(&w->labels, ms_labels_text(&w->labels, name, sizeof(name) - 1));
	uint32_t root = ms_walk_root(w, name);
	struct ms_error *err = NULL;
	size_t count = 0;

	if (!lists)
		return ms_error_no_memory();
	for (size_t i = 0; i < w->spans.count; i++) {
		if (w->spans.items[i].state == MS_SPAN_IN_USE && w->spans.items[i].specials)
			lists[count++] = w->spans.items[i].specials;
	}
	for (unsigned step = 0; step < SPECIALS_MAX && count && !err && !w->stopped; step++)
		err = specials_step(w, lists, count, label, root, &count);
	return err ? err : ms_walk_drain(w);
}

struct ms_error *ms_walk_from_roots(struct ms_walk *w)
{
	struct ms_error *err = from_variables(w);

	if (!err && !w->stopped)
		err = from_code(w);
	if (w->wanted)
		ms_walk_want_settle(w);
	if (!err && !w->stopped)
		err = from_data(w);
	if (!err && !w->stopped)
		err = ms_walk_from_stacks(w);
	if (!err && !w->stopped)
		err = from_finalizers(w);
	if (!err && !w->stopped)
		err = ms_walk_drain_all(w);
	return err;
}
