// wait_conds.c - before Go 1.26 the sudog of one that waits for a condition does not say which one.
//
// Its frame does: some word of it is the address of the condition's sync.notifyList.  A list is
// known by its numbers - the ticket in the sudog was given out and is not called yet - and by its
// last waiter, who has to wait in it, too.
//
//	runtime.notifyListWait   | ... | list | ...     list.wait > sudog.ticket >= list.notify
//	                                                list.tail ──► sudog of that list, the last
//
// Thousands wait for one condition, and most words of their frames are the same: so the frames of
// many are read at once, then each thing that a word leads to, once.
#include "goroutines/wait_conds.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/named_types.h"
#include "golang/struct_types.h"
#include "goroutines/sudog.h"

enum {
	LIST_BYTES_MAX = 64,
	CONDS_AT_ONCE = 1024,
	LOWEST = 4096, // No object lies below.
};

static const uint32_t NO_WANT = UINT32_MAX;

/** Some waits, and all that their frames lead to. */
struct look {
	struct ms_waits *waits;
	const struct ms_go_layout *layout;
	struct ms_fetch *fetch;
	struct part {
		struct ms_wait *wait;
		ms_addr sudog;
		uint32_t frame_want, sudog_want;
	} parts[CONDS_AT_ONCE];
	size_t count;
	struct ms_number_map list_of; // Address to an index in lists.
	struct {
		struct list {
			uint32_t want;
			uint32_t tail_want; // Of the last waiter's sudog; NO_WANT: it is no list.
		} * items;
		size_t count, capacity;
	} lists;
};

/** The fields of sync.notifyList, as the program describes it. */
static struct ms_error *list_fields(struct ms_waits *w)
{
	static const char *const names[] = { "wait", "notify", "head", "tail" };
	struct ms_notify_list_layout *l = &w->list_layout;
	uint32_t *const fields[] = { &l->wait, &l->notify, &l->head, &l->tail };
	const struct ms_go_layout *layout = w->rt->layout;
	struct ms_struct_type type;
	struct ms_named_types *named = NULL;
	const struct ms_types *types;
	struct ms_error *err = ms_go_types(w->rt, &types);
	ms_addr address;

	if (!err)
		err = ms_named_types_create(types, layout, &named);
	if (err)
		return err;
	address = ms_named_types_find(named, "sync", 4, "notifyList", 10);
	ms_named_types_destroy(named);
	l->asked = true;
	l->known = address && ms_struct_type_read(types, layout, address, &type) &&
		   type.bytes <= LIST_BYTES_MAX;
	for (size_t i = 0; i < MS_ARRAY_SIZE(names) && l->known; i++) {
		struct ms_struct_field field;

		l->known = ms_struct_type_follow(types, layout, &type, names[i], strlen(names[i]),
						 &field) &&
			   field.offset + 8 <= LIST_BYTES_MAX;
		*fields[i] = l->known ? (uint32_t)field.offset : 0;
	}
	return NULL;
}

/** A list in which this ticket waits: given out already, and not called yet. */
static bool is_list_of(const struct look *k, const uint8_t *raw, uint32_t ticket)
{
	const struct ms_notify_list_layout *l = &k->waits->list_layout;
	uint32_t wait = ms_load_u32(raw + l->wait), notify = ms_load_u32(raw + l->notify);
	ms_addr head = ms_load_u64(raw + l->head), tail = ms_load_u64(raw + l->tail);

	return (int32_t)(wait - ticket) > 0 && (int32_t)(ticket - notify) >= 0 && head && tail &&
	       !(head & 7) && !(tail & 7);
}

static bool may_be_list(const struct part *p, ms_addr word)
{
	return word >= LOWEST && !(word & 7) && word != p->sudog &&
	       !(word >= p->wait->stack_lo && word < p->wait->stack_hi);
}

static struct ms_error *frames_read(struct look *k)
{
	struct ms_error *err = NULL;

	ms_fetch_reset(k->fetch);
	for (size_t i = 0; i < k->count && !err; i++) {
		struct part *p = &k->parts[i];

		err = ms_fetch_add(k->fetch, p->wait->frame,
				   (uint32_t)(p->wait->end - p->wait->frame), &p->frame_want);
		if (!err)
			err =
			    ms_fetch_add(k->fetch, p->sudog, k->layout->sudog_size, &p->sudog_want);
	}
	return err ? err : ms_fetch_run(k->fetch, k->waits->rt->target);
}

static struct ms_error *list_want(struct look *k, ms_addr word)
{
	struct list list = { .tail_want = NO_WANT };
	struct ms_error *err;

	if (ms_number_map_find(&k->list_of, word))
		return NULL;
	err = ms_fetch_add(k->fetch, word, LIST_BYTES_MAX, &list.want);
	if (!err && (!ms_vec_push(&k->lists, list) ||
		     !ms_number_map_add(&k->list_of, word, (uint32_t)k->lists.count - 1)))
		err = ms_error_no_memory();
	return err;
}

/** Whatever a word of a frame leads to, once. */
static struct ms_error *lists_read(struct look *k)
{
	size_t first = k->fetch->count;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < k->count && !err; i++) {
		const struct part *p = &k->parts[i];
		uint32_t size = k->fetch->wants[p->frame_want].size;

		for (uint32_t at = 0; at + 8 <= size && !err; at += 8) {
			const uint8_t *raw = ms_fetch_bytes(k->fetch, p->frame_want);
			ms_addr word = raw ? ms_load_u64(raw + at) : 0;

			if (may_be_list(p, word))
				err = list_want(k, word);
		}
	}
	return err ? err : ms_fetch_run_from(k->fetch, k->waits->rt->target, first);
}

/** The last waiters of what looks like a list. */
static struct ms_error *tails_read(struct look *k)
{
	const struct ms_notify_list_layout *l = &k->waits->list_layout;
	size_t first = k->fetch->count;
	struct ms_error *err = NULL;

	for (size_t i = 0; i < k->lists.count && !err; i++) {
		struct list *list = &k->lists.items[i];
		const uint8_t *raw = ms_fetch_bytes(k->fetch, list->want);

		if (raw && is_list_of(k, raw, ms_load_u32(raw + l->notify)))
			err = ms_fetch_add(k->fetch, ms_load_u64(raw + l->tail),
					   k->layout->sudog_size, &list->tail_want);
	}
	return err ? err : ms_fetch_run_from(k->fetch, k->waits->rt->target, first);
}

/** Whether the last in that list is one who waits in one. */
static bool has_tail(const struct look *k, const struct list *list)
{
	const uint8_t *raw =
	    list->tail_want == NO_WANT ? NULL : ms_fetch_bytes(k->fetch, list->tail_want);
	struct ms_sudog s;

	if (!raw)
		return false;
	s = ms_sudog_parse(k->layout, raw);
	return s.g && !s.next && !s.channel &&
	       is_list_of(k, ms_fetch_bytes(k->fetch, list->want), s.ticket);
}

/** The first word of the frame that leads to a list in which it waits. */
static void part_decide(const struct look *k, const struct part *p)
{
	const uint8_t *frame = ms_fetch_bytes(k->fetch, p->frame_want);
	const uint8_t *sudog = ms_fetch_bytes(k->fetch, p->sudog_want);
	uint32_t size = k->fetch->wants[p->frame_want].size, ticket;

	if (!frame || !sudog)
		return;
	ticket = ms_sudog_parse(k->layout, sudog).ticket;
	for (uint32_t at = 0; at + 8 <= size && !p->wait->object; at += 8) {
		ms_addr word = ms_load_u64(frame + at);
		const uint32_t *known =
		    may_be_list(p, word) ? ms_number_map_find(&k->list_of, word) : NULL;
		const struct list *list = known ? &k->lists.items[*known] : NULL;
		const uint8_t *raw = list ? ms_fetch_bytes(k->fetch, list->want) : NULL;

		if (raw && is_list_of(k, raw, ticket) && has_tail(k, list))
			p->wait->object = word;
	}
}

static struct ms_error *parts_find(struct look *k)
{
	struct ms_error *err = frames_read(k);

	if (!err)
		err = lists_read(k);
	if (!err)
		err = tails_read(k);
	for (size_t i = 0; i < k->count && !err; i++)
		part_decide(k, &k->parts[i]);
	ms_number_map_deinit(&k->list_of);
	k->list_of = (struct ms_number_map){ 0 };
	k->lists.count = k->count = 0;
	return err;
}

static bool is_wanted(const struct ms_wait *wait, ms_addr sudog)
{
	return wait->kind == MS_WAIT_COND && !wait->object && sudog && wait->frame &&
	       wait->end > wait->frame;
}

struct ms_error *ms_wait_conds_find(struct ms_waits *w, struct ms_wait *items,
				    const ms_addr *sudogs, size_t count)
{
	MS_AUTO_FREE struct look *k = calloc(1, sizeof(*k));
	struct ms_error *err = NULL;

	if (!k)
		return ms_error_no_memory();
	k->waits = w;
	k->layout = w->rt->layout;
	k->fetch = &w->fetch;
	for (size_t i = 0; i < count && !err; i++) {
		if (!is_wanted(&items[i], sudogs[i]))
			continue;
		if (!w->list_layout.asked)
			err = list_fields(w);
		if (err || !w->list_layout.known)
			break;
		k->parts[k->count++] = (struct part){ .wait = &items[i], .sudog = sudogs[i] };
		if (k->count == CONDS_AT_ONCE)
			err = parts_find(k);
	}
	if (!err && k->count)
		err = parts_find(k);
	ms_vec_free(&k->lists);
	return err;
}
