// visit.c - what is in the bytes of an item, word by word.
//
// Whatever is met here may be torn, stale or hostile: an address is only a candidate until
// meet.c has found an object there, a length is cut to its object, and a type is one that the
// program describes.
#include "walk/walk_internal.h"

#include "base/vec.h"
#include "maps/classic.h"
#include "maps/swiss.h"

enum {
	WORD_BYTES = 8,
	CHUNK_BYTES = 64 << 10, // Of a long row of values, at once.
	DIRECTORY_MAX = 1 << 24,
	POOL_MAX = 4096, // Ps.
	UNTYPED_WORDS_MAX = 4096,
	NESTED_MAX = 8, // Values in slots of values.
	TABLE_SLOTS = 8,
	STEPS_MIN = 64, // In one item; more by its size.
};

static void visit_values(struct ms_walk *w, const struct ms_walk_item *item, ms_plan_id type,
			 const uint8_t *bytes, uint64_t size, ms_addr address, unsigned nested);

// --- How much. ---

/** Bytes of a value that are looked at: behind the last pointer may be a slice's capacity. */
static uint64_t used_bytes(const struct ms_plan *plan)
{
	return ms_min_u64(plan->pointer_bytes + 2ull * WORD_BYTES, plan->bytes);
}

static uint64_t wanted_bytes(struct ms_walk *w, const struct ms_walk_item *item)
{
	const struct ms_go_layout *l = w->layout;
	const struct ms_plan *plan;
	uint64_t size;

	switch ((enum ms_walk_kind)item->kind) {
	case MS_WALK_VALUES:
	case MS_WALK_ROOTED:
		plan = ms_plans_ready(&w->plans, item->type);
		if (!plan->op_count)
			return 0;
		if (used_bytes(plan) > MS_READ_BYTES_MAX) {
			ms_walk_cut(w, "of values over 1 MiB it saw no more than that");
			return MS_READ_BYTES_MAX;
		}
		if (item->count == 1)
			return used_bytes(plan);
		size = ms_max_u64(CHUNK_BYTES / plan->bytes, 1);
		return ms_min_u64(ms_min_u64(size, item->count) * plan->bytes, MS_READ_BYTES_MAX);
	case MS_WALK_MAP:
		return l->maps == MS_GO_MAPS_SWISS ? l->map_size : l->hmap_size;
	case MS_WALK_DIRECTORY:
		return ms_min_u64(item->count, CHUNK_BYTES / WORD_BYTES) * WORD_BYTES;
	case MS_WALK_TABLE:
		return l->table_size;
	case MS_WALK_CHAN:
		return ms_max_u64(ms_max_u64(l->hchan_qcount, l->hchan_dataqsiz),
				  ms_max_u64(l->hchan_buf, l->hchan_elemtype)) +
		       WORD_BYTES;
	case MS_WALK_CLOSURE:
		return ms_min_u64(item->count, UNTYPED_WORDS_MAX) * WORD_BYTES;
	case MS_WALK_TRIE_NODE:
	case MS_WALK_HEADED:
		return WORD_BYTES;
	case MS_WALK_STACK:
	case MS_WALK_UNTYPED:
		return ms_min_u64(item->count, UNTYPED_WORDS_MAX) * WORD_BYTES;
	}
	return 0;
}

uint64_t ms_walk_item_bytes(struct ms_walk *w, const struct ms_walk_item *item)
{
	uint64_t bytes = wanted_bytes(w, item);

	return bytes <= MS_READ_BYTES_MAX ? bytes : 0; // A layout from DWARF may say anything.
}

// --- Values. ---

/** What a word that an op finds is the holder's label of. */
static ms_label label_of(struct ms_walk *w, const struct ms_walk_item *item, ms_plan_id type,
			 uint32_t op_index)
{
	const struct ms_plan *plan = ms_plans_at(&w->plans, type);
	struct ms_op *op = &w->plans.ops[op_index];

	if (plan->labels == MS_LABELS_HOLDERS)
		return item->label;
	if (item->kind == MS_WALK_ROOTED || plan->labels == MS_LABELS_ON)
		return ms_label_extend(&w->labels, item->label, op->path);
	if (!op->label)
		op->label = ms_label_field(&w->labels, plan->name, op->path);
	return op->label;
}

/** One op at one place: @p word is the first word there, @p second the next where there is one. */
static void op_do(struct ms_walk *w, const struct ms_walk_item *item, const struct ms_op *op,
		  ms_label label, const uint8_t *at, ms_addr address)
{
	ms_addr word = ms_load_u64(at);
	uint32_t root = item->root;

	switch ((enum ms_op_kind)op->kind) {
	case MS_OP_VALUE:
		return; // visit_op has done it.
	case MS_OP_POINTER:
		if (item->kind == MS_WALK_ROOTED &&
		    ms_plans_at(&w->plans, op->type)->kind == MS_KIND_MAP)
			label = ms_label_pointee(&w->labels, label);
		ms_walk_meet_values(w, word, op->type, 1, label, root);
		return;
	case MS_OP_SLICE:
		ms_walk_meet_values(w, word, op->type, ms_load_u64(at + 2 * WORD_BYTES),
				    ms_label_element(&w->labels, label), root);
		return;
	case MS_OP_STRING:
		ms_walk_meet_string(w, word);
		return;
	case MS_OP_EFACE:
	case MS_OP_IFACE:
		ms_walk_meet_interface(w, ms_walk_interface_type(w, word, op->kind == MS_OP_IFACE),
				       ms_load_u64(at + WORD_BYTES), address + WORD_BYTES, label,
				       root);
		return;
	case MS_OP_MAP:
		ms_walk_meet_map(w, word, op->type, label, root, address);
		return;
	case MS_OP_CHAN:
		ms_walk_meet_object(w, word, MS_WALK_CHAN, op->type, label, root);
		return;
	case MS_OP_FUNC:
		ms_walk_meet_object(w, word, MS_WALK_CLOSURE, 0, label, root);
		return;
	case MS_OP_UNTYPED:
		if (ms_walk_row_of(w, word) != SIZE_MAX)
			ms_walk_meet_map(w, word, 0, label, root, address);
		else
			ms_walk_meet_object(w, word, MS_WALK_UNTYPED, 0, label, root);
		return;
	case MS_OP_POOL:
		ms_walk_meet_values(w, word, op->type,
				    ms_min_u64(ms_load_u64(at + WORD_BYTES), POOL_MAX), label,
				    root);
		return;
	case MS_OP_TRIE:
		ms_walk_meet_trie(w, address - op->back, word, op->type, label, root);
		return;
	case MS_OP_TRIE_NODE:
		ms_walk_meet_node(w, word, op->type, label, root);
		return;
	}
}

static uint64_t op_bytes(const struct ms_op *op)
{
	switch ((enum ms_op_kind)op->kind) {
	case MS_OP_SLICE:
		return 3 * WORD_BYTES;
	case MS_OP_EFACE:
	case MS_OP_IFACE:
	case MS_OP_POOL:
		return 2 * WORD_BYTES;
	default:
		return WORD_BYTES;
	}
}

/** By its tag or control byte: neither free, nor deleted, nor moved to the new array. */
static bool slot_is_used(const struct ms_walk *w, uint8_t byte)
{
	return w->layout->maps == MS_GO_MAPS_SWISS ? byte < 0x80 : byte >= MS_CLASSIC_TAG_MIN;
}

/** One step more in the item that is visited; false when it has taken too many. */
static bool step(struct ms_walk *w)
{
	if (!w->steps_left)
		return false;
	w->steps_left--;
	return true;
}

/** An op of the value at @p bytes, as often as it is repeated. */
static void visit_op(struct ms_walk *w, const struct ms_walk_item *item, ms_plan_id type,
		     uint32_t op_index, const uint8_t *bytes, uint64_t size, ms_addr address,
		     unsigned nested)
{
	struct ms_op op = w->plans.ops[op_index];
	bool table = ms_plans_at(&w->plans, type)->is_table && size >= TABLE_SLOTS;
	uint64_t need = op_bytes(&op);
	ms_label label = 0;
	bool labelled = false;

	if (op.kind == MS_OP_VALUE) {
		const struct ms_plan *inner = op.type ? ms_plans_ready(&w->plans, op.type) : NULL;

		if (!inner || !inner->op_count)
			return;
		need = used_bytes(inner);
	}
	for (uint32_t i = 0; i < op.repeat && step(w); i++) {
		uint64_t at = op.offset + (uint64_t)i * op.stride;

		if (at > size || need > size - at)
			return;
		if (op.kind == MS_OP_VALUE) {
			if (table && i < TABLE_SLOTS && !slot_is_used(w, bytes[i]))
				continue;
			visit_values(w, item, op.type, bytes + at, need, address + at, nested + 1);
			continue;
		}
		if (!ms_load_u64(bytes + at))
			continue;
		if (!labelled)
			label = label_of(w, item, type, op_index);
		labelled = true;
		op_do(w, item, &op, label, bytes + at, address + at);
	}
}

static void visit_values(struct ms_walk *w, const struct ms_walk_item *item, ms_plan_id type,
			 const uint8_t *bytes, uint64_t size, ms_addr address, unsigned nested)
{
	const struct ms_plan *plan = ms_plans_ready(&w->plans, type);
	uint32_t first = plan->first_op, count = plan->op_count;

	if (nested > NESTED_MAX)
		return;
	for (uint32_t i = 0; i < count && step(w); i++)
		visit_op(w, item, type, first + i, bytes, size, address, nested);
}

static void visit_row(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *bytes,
		      uint64_t size)
{
	uint64_t stride = ms_plans_ready(&w->plans, item->type)->bytes;
	uint64_t done = 0;

	if (item->count == 1) {
		visit_values(w, item, item->type, bytes, size, item->address, 0);
		return;
	}
	if (stride > size) { // Over MS_READ_BYTES_MAX.
		visit_values(w, item, item->type, bytes, size, item->address, 0);
		done = 1;
	}
	for (; done < item->count && (done + 1) * stride <= size; done++)
		visit_values(w, item, item->type, bytes + done * stride, stride,
			     item->address + done * stride, 0);
	if (done && done < item->count) {
		struct ms_walk_item rest = *item;

		rest.address += done * stride;
		rest.count -= (uint32_t)done;
		ms_walk_push(w, rest);
	}
}

// --- Maps. ---

static void push_table(struct ms_walk *w, const struct ms_walk_item *item, ms_addr address,
		       ms_plan_id table, uint64_t count)
{
	ms_walk_meet_values(w, address, table, count, ms_label_element(&w->labels, item->label),
			    item->root);
}

static void visit_classic(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *raw)
{
	ms_plan_id table = ms_plans_ready(&w->plans, item->type)->table_plan;
	struct ms_classic_map m;

	if (ms_classic_parse(w->layout, raw, &m) != MS_CLASSIC_MAP)
		return;
	// All of the array's object: overflow buckets are taken from its end.  Where no span tells
	// that end, they are met by the links to them.
	push_table(w, item, m.buckets, table,
		   (uint64_t)(w->spans.has_holes ? 1 : 2) << m.bucket_log2);
	if (m.oldbuckets)
		push_table(w, item, m.oldbuckets, table,
			   ms_classic_old_buckets(&m) * (w->spans.has_holes ? 1 : 2));
}

static void visit_swiss(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *raw)
{
	ms_plan_id table = ms_plans_ready(&w->plans, item->type)->table_plan;
	struct ms_walk_item next = *item;
	struct ms_swiss_map m;

	switch (ms_swiss_parse(w->layout, raw, &m)) {
	case MS_SWISS_SMALL:
		push_table(w, item, m.dir, table, 1);
		return;
	case MS_SWISS_LARGE:
		if (m.dir_len > DIRECTORY_MAX)
			return;
		next.kind = MS_WALK_DIRECTORY;
		next.address = m.dir;
		next.count = (uint32_t)m.dir_len;
		ms_walk_push(w, next);
		return;
	default:
		return;
	}
}

static void visit_directory(struct ms_walk *w, const struct ms_walk_item *item,
			    const uint8_t *bytes, uint64_t size)
{
	uint64_t count = size / WORD_BYTES;
	ms_addr last = 0;

	for (uint64_t i = 0; i < count; i++) {
		ms_addr table = ms_load_u64(bytes + i * WORD_BYTES);

		if (table != last) // A table has several neighbouring places.
			ms_walk_meet_object(w, table, MS_WALK_TABLE, item->type, item->label,
					    item->root);
		last = table;
	}
	if (count && count < item->count) {
		struct ms_walk_item rest = *item;

		rest.address += count * WORD_BYTES;
		rest.count -= (uint32_t)count;
		ms_walk_push(w, rest);
	}
}

static void visit_table(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *raw)
{
	ms_plan_id table = ms_plans_ready(&w->plans, item->type)->table_plan;

	push_table(w, item, ms_load_u64(raw + w->layout->table_groups), table,
		   ms_load_u64(raw + w->layout->table_length_mask) + 1);
}

// --- Others. ---

static void visit_chan(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *raw)
{
	uint64_t slots = ms_load_u64(raw + w->layout->hchan_dataqsiz);

	if (!item->type || !slots || slots > UINT32_MAX ||
	    !ms_plans_at(&w->plans, item->type)->pointer_bytes)
		return;
	// The buffer may lie in the channel's own object, behind its head.
	ms_walk_meet_values(w, ms_load_u64(raw + w->layout->hchan_buf), item->type, slots,
			    ms_label_element(&w->labels, item->label), item->root);
}

/** The word before an object names the type of what lies in it, one value or several. */
static void visit_headed(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *raw)
{
	ms_plan_id type = ms_plans_get(&w->plans, ms_load_u64(raw));

	if (type)
		ms_walk_meet_values(w, item->address + WORD_BYTES, type, UINT32_MAX, item->label,
				    item->root);
}

/** A closure begins with its function's address; what else it holds, its type says. */
static void visit_words(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *bytes,
			uint64_t size, uint64_t first);

static void visit_closure(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *bytes,
			  uint64_t size)
{
	ms_addr entry = ms_load_u64(bytes);
	ms_addr type = w->facts ? ms_code_closure_type(w->facts, entry) : 0;
	struct ms_walk_item inner = *item;
	ms_label label = ms_walk_name_closure(w, entry);

	if (!label)
		return; // It begins with no function: not a closure at all.
	inner.label = label;
	if (type && ms_plans_get(&w->plans, type)) {
		ms_walk_meet_values(w, item->address, ms_plans_get(&w->plans, type), 1, inner.label,
				    item->root);
		return;
	}
	inner.kind = MS_WALK_UNTYPED;
	visit_words(w, &inner, bytes, size, 1);
}

/**
 * An interface among words that may be left over.  Of a map that has a holder it may tell the type,
 * and that is all: a call with a map leaves the map's type and the map side by side, too.
 */
static void meet_among_words(struct ms_walk *w, const struct ms_walk_item *item, ms_plan_id type,
			     ms_addr word, ms_addr at)
{
	bool is_map = ms_plans_at(&w->plans, type)->kind == MS_KIND_MAP;
	size_t row = is_map ? ms_walk_row_of(w, word) : SIZE_MAX;

	if (row != SIZE_MAX && w->found[row].holders) {
		struct ms_walk_found f = w->found[row];

		if (!f.label) {
			f.label = item->label;
			f.root = item->root;
		}
		ms_walk_meet_map(w, word, type, f.label, f.root, f.holder);
		return;
	}
	ms_walk_meet_interface(w, type, word, at, item->label, item->root);
}

/** Words that may be anything: maps that the census knows, interfaces, other objects. */
static void visit_words(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *bytes,
			uint64_t size, uint64_t first)
{
	const struct ms_walk_words words = { bytes, (size_t)size, item->address };

	for (uint64_t at = first * WORD_BYTES; at + WORD_BYTES <= size; at += WORD_BYTES) {
		ms_addr word = ms_load_u64(bytes + at);
		ms_plan_id type;

		if (!word || (word & 7))
			continue;
		if (ms_walk_row_of(w, word) != SIZE_MAX) {
			// What lies on stacks and in unknown objects may be left over: it names
			// an owner where there is no other, and is no further one.
			if (!w->found[ms_walk_row_of(w, word)].holders)
				ms_walk_meet_map(w, word, 0, item->label, item->root,
						 item->address + at);
			continue;
		}
		if (ms_spans_find(&w->spans, word)) {
			if (ms_walk_is_sync_map(w, &words, at))
				ms_walk_meet_trie(w, item->address + at - w->sync_map.root, word,
						  w->sync_map.branch, item->label, item->root);
			else
				ms_walk_meet_object(w, word, MS_WALK_UNTYPED, 0, item->label,
						    item->root);
			continue;
		}
		if (at + 2 * WORD_BYTES > size)
			continue;
		// What is left over may lead to memory that has become another's.
		if (w->spans.has_holes &&
		    ms_walk_row_of(w, ms_load_u64(bytes + at + WORD_BYTES)) == SIZE_MAX)
			continue;
		type = ms_walk_interface_type(w, word, false);
		if (!type)
			type = ms_walk_interface_type(w, word, true);
		// Two words that only lie side by side are no interface.
		if (!type || !ms_walk_map_fits(w, type, ms_load_u64(bytes + at + WORD_BYTES)))
			continue;
		at += WORD_BYTES;
		meet_among_words(w, item, type, ms_load_u64(bytes + at), item->address + at);
	}
}

/** What of a large object was not read with its beginning. */
static void push_rest(struct ms_walk *w, const struct ms_walk_item *item, uint64_t size)
{
	struct ms_walk_item rest = *item;
	uint64_t words = size / WORD_BYTES;

	if (words < UNTYPED_WORDS_MAX || item->count <= words)
		return;
	rest.address += words * WORD_BYTES;
	rest.count -= (uint32_t)words;
	ms_walk_push(w, rest);
}

static void visit_item(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *bytes,
		       uint64_t size)
{
	switch ((enum ms_walk_kind)item->kind) {
	case MS_WALK_VALUES:
	case MS_WALK_ROOTED:
		if (item->trie)
			ms_walk_trie_count(w, item);
		visit_row(w, item, bytes, size);
		return;
	case MS_WALK_MAP:
		if (w->layout->maps == MS_GO_MAPS_SWISS)
			visit_swiss(w, item, bytes);
		else
			visit_classic(w, item, bytes);
		return;
	case MS_WALK_DIRECTORY:
		visit_directory(w, item, bytes, size);
		return;
	case MS_WALK_TABLE:
		visit_table(w, item, bytes);
		return;
	case MS_WALK_CHAN:
		visit_chan(w, item, bytes);
		return;
	case MS_WALK_CLOSURE:
		visit_closure(w, item, bytes, size);
		return;
	case MS_WALK_TRIE_NODE:
		ms_walk_visit_node(w, item, bytes);
		return;
	case MS_WALK_UNTYPED:
		push_rest(w, item, size);
		if (ms_walk_name_closure(w, ms_load_u64(bytes)))
			visit_closure(w, item, bytes, size);
		else
			visit_words(w, item, bytes, size, 0);
		return;
	case MS_WALK_STACK:
		visit_words(w, item, bytes, size, 0);
		return;
	case MS_WALK_HEADED:
		visit_headed(w, item, bytes);
		return;
	}
}

void ms_walk_visit(struct ms_walk *w, const struct ms_walk_item *item, const uint8_t *bytes,
		   uint64_t size)
{
	uint64_t steps_left = w->steps_left;
	uint32_t trie = w->trie;

	// Each word of a value is one step, or some more where it lies in values of values.
	w->steps_left = STEPS_MIN + size;
	w->trie = item->trie;
	visit_item(w, item, bytes, size);
	w->trie = trie; // It may be an interface in another item.
	w->steps_left = steps_left;
}
