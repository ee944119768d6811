// tries.c - hash tries: sync.Map from Go 1.24 on, and what package unique keeps its values in.
//
//	HashTrieMap: root ──► branch ──► branch ──► entry ──► entry of the same hash
//	                        └──────► entry
//
// A trie does not know how many entries it has: its nodes are counted as they are visited, and the
// sum counts only when none is missing.  Nodes that were met and are never visited (the walk was
// stopped, a page could not be read) keep the trie from being whole.  One that a word led to and
// that is no object was made since the walk began, or is gone: the trie moved meanwhile.
//
// Where no type says that a word is the root of a sync.Map - in the variables of a stripped
// program - its surroundings do: behind the root are the functions that hash and compare an
// interface{}, and no other words lead there.
#include "walk/walk_internal.h"

#include "base/vec.h"

enum {
	WORD_BYTES = 8,
	TRIES_MAX = 1 << 20,
	SYNC_MAP_BYTES_MAX = 128,
	LOOKS_MAX = 1 << 16, // At words that may lead to a function.
};

static const uint64_t TRIE_KEY = (uint64_t)0x7a1e << 48; // Tells tries from other parts seen.

// --- Nodes. ---

static bool is_part(const struct ms_walk *w, const struct ms_walk_item *item)
{
	const struct ms_plan *plan = ms_plans_at(&w->plans, item->type);

	return item->kind == MS_WALK_TRIE_NODE ||
	       (item->kind == MS_WALK_VALUES && (plan->is_trie_branch || plan->is_trie_entry));
}

void ms_walk_trie_waits(struct ms_walk *w, struct ms_walk_item *item)
{
	item->trie = w->trie && is_part(w, item) ? w->trie : 0;
	if (item->trie)
		w->tries.items[item->trie - 1].waiting++;
}

void ms_walk_meet_node(struct ms_walk *w, ms_addr address, ms_plan_id branch, ms_label label,
		       uint32_t root)
{
	struct ms_walk_trie *trie = w->trie ? &w->tries.items[w->trie - 1] : NULL;
	bool is_new = trie && !ms_walk_is_seen(w, address);
	uint64_t waiting = trie ? trie->waiting : 0;

	ms_walk_meet_object(w, address, MS_WALK_TRIE_NODE, branch, label, root);
	if (!is_new || trie->waiting != waiting)
		return;
	if (w->spans.has_holes)
		ms_walk_trie_lose(w); // In a core nothing moves: what it led to is not there.
	else
		trie->is_moving = true;
}

void ms_walk_trie_lose(struct ms_walk *w)
{
	if (w->trie)
		w->tries.items[w->trie - 1].is_lost = true;
}

void ms_walk_trie_count(struct ms_walk *w, const struct ms_walk_item *item)
{
	const struct ms_span *span = ms_spans_find(&w->spans, item->address);
	const struct ms_plan *plan = ms_plans_at(&w->plans, item->type);
	struct ms_walk_trie *trie = &w->tries.items[item->trie - 1];

	trie->waiting--;
	trie->entries += plan->is_trie_entry;
	trie->bytes += span ? span->elem_bytes
			    : ms_go_alloc_bytes(w->layout, plan->bytes, plan->pointer_bytes != 0);
}

void ms_walk_visit_node(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *raw)
{
	struct ms_walk_item next = *item;

	if (item->trie)
		w->tries.items[item->trie - 1].waiting--;
	if (raw[0] & 1)
		next.type = ms_plans_ready(&w->plans, item->type)->entry;
	if (!next.type) {
		ms_walk_trie_lose(w);
		return;
	}
	next.kind = MS_WALK_VALUES;
	next.count = 1;
	ms_walk_push(w, next);
}

// --- Tries. ---

void ms_walk_meet_trie(struct ms_walk *w, ms_addr at, ms_addr top, ms_plan_id branch,
		       ms_label label, uint32_t root)
{
	uint32_t outer = w->trie;

	if (!ms_walk_set_add(w, &w->parts, at ^ TRIE_KEY))
		return;
	if (w->tries.count >= TRIES_MAX) {
		ms_walk_cut(w, "more tries of sync.Map than are kept in mind");
		return;
	}
	(void)ms_plans_ready(&w->plans, branch); // From here on it is known as one.
	if (!ms_vec_push(&w->tries,
			 { .address = at, .type = branch, .label = label, .root = root })) {
		w->out_of_memory = true;
		return;
	}
	w->trie = (uint32_t)w->tries.count;
	ms_walk_meet_values(w, top, branch, 1, ms_label_element(&w->labels, label), root);
	// Not an object of the heap, or one that something else has taken for its own.
	if (!w->tries.items[w->trie - 1].waiting)
		ms_walk_trie_lose(w);
	w->trie = outer;
}

bool ms_walk_trie_is_whole(const struct ms_walk_trie *trie)
{
	return !trie->waiting && !trie->is_lost;
}

// --- A sync.Map without a type. ---

void ms_walk_sync_map_load(struct ms_walk *w)
{
	const struct ms_function *hash, *equal;

	ms_plans_sync_map(&w->plans, &w->sync_map);
	if (!w->sync_map.branch || !w->functions)
		return;
	hash = ms_functions_by_name(w->functions, "runtime.nilinterhash");
	equal = ms_functions_by_name(w->functions, "runtime.nilinterequal");
	w->sync_hash.entry = hash ? hash->entry : 0;
	w->sync_equal.entry = equal ? equal->entry : 0;
}

/** An object begins there that is made for a branch. */
static bool may_be_branch(const struct ms_walk *w, ms_addr word)
{
	const struct ms_span *s = ms_spans_find(&w->spans, word);
	uint64_t bytes = ms_plans_at(&w->plans, w->sync_map.branch)->bytes;

	if (!s)
		return ms_walk_hole_end(w, word) != 0;
	return s->state == MS_SPAN_IN_USE && word >= s->start && bytes <= s->elem_bytes &&
	       bytes > w->smaller[s->span_class / 2] && !((word - s->start) % s->elem_bytes);
}

/** A variable that is a function leads to a word that leads to its code. */
static bool is_function(struct ms_walk *w, ms_addr value, struct ms_walk_function *function)
{
	uint8_t raw[WORD_BYTES];
	struct ms_error *err;

	if (function->value || !value || (value & 7) || value == function->refused ||
	    ms_spans_find(&w->spans, value))
		return value && value == function->value;
	function->refused = value; // Neighbours often are the same.
	if (function->looks++ == LOOKS_MAX)
		ms_walk_cut(w, "more words than it looks at may be in a sync.Map");
	if (function->looks > LOOKS_MAX)
		return false;
	err = ms_target_read(w->rt->target, value, raw, sizeof(raw));
	if (err) {
		ms_error_free(err); // A target that is lost shows in the next batch.
		return false;
	}
	if (ms_load_u64(raw) == function->entry)
		function->value = value;
	return function->value != 0;
}

bool ms_walk_is_sync_map(struct ms_walk *w, const struct ms_walk_words *words, size_t at)
{
	const struct ms_plan_sync_map *m = &w->sync_map;
	ms_addr word = ms_load_u64(words->bytes + at);
	uint8_t read[SYNC_MAP_BYTES_MAX];
	const uint8_t *raw = read;
	struct ms_error *err = NULL;

	if (!w->sync_hash.entry || !w->sync_equal.entry || m->bytes > sizeof(read) ||
	    words->address + at < m->root || !may_be_branch(w, word))
		return false;
	if (at >= m->root && m->bytes <= words->size - (at - m->root))
		raw = words->bytes + (at - m->root);
	else
		err = ms_target_read(w->rt->target, words->address + at - m->root, read,
				     (size_t)m->bytes);
	if (err) {
		ms_error_free(err);
		return false;
	}
	return ms_load_u64(raw + m->root) == word &&
	       is_function(w, ms_load_u64(raw + m->hash), &w->sync_hash) &&
	       is_function(w, ms_load_u64(raw + m->equal), &w->sync_equal);
}
