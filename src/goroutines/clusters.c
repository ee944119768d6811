// clusters.c - 100,000 rows become a few lines, in steps that each have fewer to do.
//
//	rows   -> kinds    same state, wait reason and stack: by number, one look into a table each
//	kinds  -> groups   same folded names of the eight innermost calls
//	groups -> clusters near groups merged: the largest first, each to the first that is near
//
// Which group is asked first follows from its count and its text, never from an address or a place
// in a list, so the same goroutines make the same clusters whichever way they come.
//
// Merging compares each group with the clusters of its kind of wait and its innermost call of the
// program.  Generated code could make these so many that it took longer than all the rest: so there
// are bounds, behind which what is alike but not the same is left apart.
#include "goroutines/clusters.h"

#include "base/cleanup.h"
#include "base/hash.h"
#include "base/number_map.h"
#include "base/vec.h"
#include "goroutines/cluster_frames.h"
#include "goroutines/cluster_sums.h"

#include <stdlib.h>

enum {
	NAME_BYTES = 1024,
	MERGE_MAX = 1024,       // Clusters that a group is compared with,
	COMPARES_MAX = 4 << 20, // and comparisons in all: half a second.
};

/** Rows of one stack in one state. */
struct kind {
	uint32_t state, reason; // In texts.
	uint32_t stack;         // Or MS_NO_STACK, and then
	uint32_t maker;         // what made it, in texts.
	uint64_t count;
	uint32_t group;
	bool is_system;
};

struct group {
	struct ms_cluster_frames frames;
	uint32_t state, reason;
	bool is_system, has_stack;
	uint64_t count;
	uint32_t cluster;
};

struct clustering {
	struct ms_goroutines_report *report;
	struct ms_number_map text_of, kind_of, group_of;
	struct {
		const char **items;
		size_t count, capacity;
	} texts;
	struct {
		struct kind *items;
		size_t count, capacity;
	} kinds;
	struct {
		struct group *items;
		size_t count, capacity;
	} groups;
	uint32_t *order;    // Of groups.
	uint32_t compares;  // Made so far.
	uint32_t *row_kind; // By row.
};

// --- Texts by number, so that they are compared once. ---

static struct ms_error *text_find(struct clustering *c, const char *text, uint32_t *ret_index)
{
	uint64_t hash;
	const uint32_t *known;

	text = text ? text : "";
	hash = ms_hash_text(text, strlen(text)) | 1;
	while ((known = ms_number_map_find(&c->text_of, hash))) {
		if (!strcmp(c->texts.items[*known], text)) {
			*ret_index = *known;
			return NULL;
		}
		hash += 2;
	}
	text = ms_arena_strndup(&c->report->arena, text, strlen(text));
	if (!text || !ms_vec_push(&c->texts, text) ||
	    !ms_number_map_add(&c->text_of, hash, (uint32_t)c->texts.count - 1))
		return ms_error_no_memory();
	*ret_index = (uint32_t)c->texts.count - 1;
	return NULL;
}

static struct ms_error *name_find(struct clustering *c, const char *name, uint32_t *ret_index)
{
	char folded[NAME_BYTES];

	ms_frame_fold(name, folded, sizeof(folded));
	return text_find(c, folded, ret_index);
}

static int compare_texts(const struct clustering *c, uint32_t a, uint32_t b)
{
	return a == b ? 0 : strcmp(c->texts.items[a], c->texts.items[b]);
}

// --- Rows to kinds. ---

static uint64_t kind_hash(const struct kind *k)
{
	uint64_t hash = ms_hash_number((uint64_t)k->state << 32 | k->reason);

	hash = ms_hash_number(hash + ((uint64_t)k->stack << 32 | k->maker));
	return ms_hash_number(hash + k->is_system) | 1;
}

static bool is_same_kind(const struct kind *a, const struct kind *b)
{
	return a->state == b->state && a->reason == b->reason && a->stack == b->stack &&
	       a->maker == b->maker && a->is_system == b->is_system;
}

static struct ms_error *kind_find(struct clustering *c, const struct kind *wanted,
				  uint32_t *ret_index)
{
	uint64_t hash = kind_hash(wanted);
	const uint32_t *known;

	while ((known = ms_number_map_find(&c->kind_of, hash))) {
		if (is_same_kind(&c->kinds.items[*known], wanted)) {
			*ret_index = *known;
			return NULL;
		}
		hash += 2;
	}
	if (!ms_vec_push(&c->kinds, *wanted) ||
	    !ms_number_map_add(&c->kind_of, hash, (uint32_t)c->kinds.count - 1))
		return ms_error_no_memory();
	*ret_index = (uint32_t)c->kinds.count - 1;
	return NULL;
}

/** Neighbouring rows often say the same in the same place. */
struct last_texts {
	const char *state, *reason;
	uint32_t state_index, reason_index;
};

static struct ms_error *row_kind(struct clustering *c, const struct ms_goroutine_row *row,
				 struct last_texts *last, uint32_t *ret_index)
{
	struct kind kind = { .stack = row->stack, .is_system = row->is_system };
	struct ms_error *err = NULL;

	if (row->state != last->state)
		err = text_find(c, row->state, &last->state_index);
	if (!err && (row->wait_reason != last->reason || !last->state))
		err = text_find(c, row->wait_reason, &last->reason_index);
	last->state = row->state;
	last->reason = row->wait_reason;
	kind.state = last->state_index;
	kind.reason = last->reason_index;
	if (!err && row->stack == MS_NO_STACK && row->created_by.function)
		err = name_find(c, row->created_by.function, &kind.maker);
	return err ? err : kind_find(c, &kind, ret_index);
}

static struct ms_error *rows_to_kinds(struct clustering *c)
{
	struct ms_goroutines_report *r = c->report;
	struct last_texts last = { 0 };
	uint32_t none;
	struct ms_error *err = text_find(c, "", &none); // Number 0.

	for (size_t i = 0; i < r->row_count && !err; i++) {
		err = row_kind(c, &r->rows[i], &last, &c->row_kind[i]);
		if (!err)
			c->kinds.items[c->row_kind[i]].count++;
	}
	return err;
}

// --- Kinds to groups. ---

static struct ms_error *frames_of(struct clustering *c, const struct ms_stack *stack,
				  struct ms_cluster_frames *frames)
{
	const struct ms_stack_call *own = ms_stack_program_line(stack);
	uint32_t start = ms_stack_own_start(stack);
	struct ms_error *err = own ? name_find(c, own->function, &frames->own) : NULL;

	for (uint32_t i = start < stack->count ? start : 0;
	     i < stack->count && frames->count < MS_CLUSTER_FRAMES && !err; i++) {
		if (start < stack->count && stack->calls[i].is_runtime)
			continue;
		err = name_find(c, stack->calls[i].function, &frames->names[frames->count]);
		frames->count++;
	}
	return err;
}

static bool is_same_group(const struct group *a, const struct group *b)
{
	return a->state == b->state && a->reason == b->reason && a->is_system == b->is_system &&
	       a->has_stack == b->has_stack && a->frames.own == b->frames.own &&
	       a->frames.count == b->frames.count &&
	       !memcmp(a->frames.names, b->frames.names, sizeof(a->frames.names));
}

static uint64_t group_hash(const struct group *g)
{
	uint64_t hash = ms_hash_number((uint64_t)g->state << 32 | g->reason);

	hash = ms_hash_number(hash + ((uint64_t)g->frames.own << 32 | g->frames.count));
	hash = ms_hash_number(hash + g->is_system * 2u + g->has_stack);
	for (uint32_t i = 0; i < g->frames.count; i++)
		hash = ms_hash_number(hash + g->frames.names[i]);
	return hash | 1;
}

static struct ms_error *kind_group(struct clustering *c, struct kind *kind)
{
	struct group group = { .state = kind->state,
			       .reason = kind->reason,
			       .is_system = kind->is_system,
			       .has_stack = kind->stack != MS_NO_STACK };
	const uint32_t *known;
	uint64_t hash;

	if (group.has_stack) {
		struct ms_error *err =
		    frames_of(c, &c->report->stacks.items[kind->stack], &group.frames);

		if (err)
			return err;
	} else {
		group.frames = (struct ms_cluster_frames){ { kind->maker }, 1, kind->maker };
	}
	hash = group_hash(&group);
	while ((known = ms_number_map_find(&c->group_of, hash)) &&
	       !is_same_group(&c->groups.items[*known], &group))
		hash += 2;
	if (!known && (!ms_vec_push(&c->groups, group) ||
		       !ms_number_map_add(&c->group_of, hash, (uint32_t)c->groups.count - 1)))
		return ms_error_no_memory();
	kind->group = known ? *known : (uint32_t)c->groups.count - 1;
	c->groups.items[kind->group].count += kind->count;
	return NULL;
}

// --- Groups to clusters. ---

/** Those that may be merged lie together, the largest first. */
static int compare_groups(const void *a, const void *b, void *context)
{
	const struct clustering *c = context;
	const struct group *x = &c->groups.items[*(const uint32_t *)a];
	const struct group *y = &c->groups.items[*(const uint32_t *)b];
	int order = compare_texts(c, x->state, y->state);

	if (!order)
		order = compare_texts(c, x->reason, y->reason);
	if (!order)
		order = (int)x->is_system - (int)y->is_system;
	if (!order)
		order = (int)x->has_stack - (int)y->has_stack;
	if (!order)
		order = compare_texts(c, x->frames.own, y->frames.own);
	if (!order && x->count != y->count)
		order = x->count > y->count ? -1 : 1;
	for (uint32_t i = 0; !order && i < x->frames.count && i < y->frames.count; i++)
		order = compare_texts(c, x->frames.names[i], y->frames.names[i]);
	return order ? order : (int)x->frames.count - (int)y->frames.count;
}

static bool may_merge(const struct group *a, const struct group *b)
{
	return a->state == b->state && a->reason == b->reason && a->is_system == b->is_system &&
	       a->has_stack == b->has_stack && a->frames.own == b->frames.own;
}

static bool is_near(struct clustering *c, uint32_t leader, const struct group *group)
{
	return c->compares < COMPARES_MAX && ++c->compares &&
	       ms_frames_are_near(&c->groups.items[leader].frames, &group->frames);
}

/** Number the clusters of the groups [first, end) of the order. */
static void bucket_merge(struct clustering *c, size_t first, size_t end, uint32_t *next)
{
	uint32_t leaders[MERGE_MAX]; // The group that each cluster began with.
	size_t count = 0;

	for (size_t i = first; i < end; i++) {
		struct group *group = &c->groups.items[c->order[i]];
		size_t k = 0;

		while (k < count && !is_near(c, leaders[k], group))
			k++;
		if (k < count) {
			group->cluster = c->groups.items[leaders[k]].cluster;
			continue;
		}
		if (count < MERGE_MAX)
			leaders[count++] = c->order[i];
		group->cluster = (*next)++;
	}
}

static struct ms_error *groups_to_clusters(struct clustering *c, uint32_t *ret_count)
{
	size_t first = 0;

	*ret_count = 0;
	c->order = calloc(c->groups.count + 1, sizeof(*c->order));
	if (!c->order)
		return ms_error_no_memory();
	for (size_t i = 0; i < c->groups.count; i++)
		c->order[i] = (uint32_t)i;
	qsort_r(c->order, c->groups.count, sizeof(*c->order), compare_groups, c);
	while (first < c->groups.count) {
		const struct group *leader = &c->groups.items[c->order[first]];
		size_t end = first + 1;

		while (end < c->groups.count && may_merge(leader, &c->groups.items[c->order[end]]))
			end++;
		bucket_merge(c, first, end, ret_count);
		first = end;
	}
	return NULL;
}

struct ms_error *ms_clusters_make(struct ms_goroutines_report *report)
{
	struct clustering c = { .report = report };
	uint32_t count = 0;
	struct ms_error *err;

	c.row_kind = calloc(report->row_count + 1, sizeof(*c.row_kind));
	err = c.row_kind ? rows_to_kinds(&c) : ms_error_no_memory();
	for (size_t i = 0; i < c.kinds.count && !err; i++)
		err = kind_group(&c, &c.kinds.items[i]);
	if (!err)
		err = groups_to_clusters(&c, &count);
	for (size_t i = 0; i < report->row_count && !err; i++) {
		const struct kind *kind = &c.kinds.items[c.row_kind[i]];

		report->rows[i].cluster = c.groups.items[kind->group].cluster;
	}
	if (!err)
		err = ms_clusters_sum(report, count);
	ms_number_map_deinit(&c.text_of);
	ms_number_map_deinit(&c.kind_of);
	ms_number_map_deinit(&c.group_of);
	ms_vec_free(&c.texts);
	ms_vec_free(&c.kinds);
	ms_vec_free(&c.groups);
	free(c.order);
	free(c.row_kind);
	return err;
}
