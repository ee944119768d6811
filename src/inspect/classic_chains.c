// classic_chains.c - the overflow buckets of a classic map, followed level by level.
//
// Links of all chains are followed together: those of one level are one batch of reads.  A link has
// to lead into the tail of its own array, where makeBucketArray keeps some, or to an object of a
// bucket's size; and to one that no chain had before.
#include "inspect/classic_look.h"

#include "base/vec.h"

#include <inttypes.h>

enum {
	OVERFLOW_MAX = 1 << 24,
	LEVEL_MAX = 1 << 12, // Buckets of one chain that are followed.
	LINKS_AT_ONCE = 1 << 20,
};

static bool in_tail(const struct ms_classic_look *k, const struct ms_classic_link *link)
{
	const struct ms_inspect_array *a = k->arrays[link->which];
	ms_addr first = a->address + a->units * k->i->unit_bytes;
	uint64_t offset = link->addr - first;

	return link->addr >= first && offset % k->i->unit_bytes == 0 &&
	       offset / k->i->unit_bytes < k->room[link->which] - a->units;
}

static bool leads_to_bucket(struct ms_classic_look *k, const struct ms_classic_link *link)
{
	struct ms_inspection *i = k->i;
	const struct ms_span *span;

	if (link->addr & 7)
		return false;
	if (in_tail(k, link))
		return true;
	span = ms_inspect_object(i, link->addr);
	if (ms_inspect_lacks_span(i, link->addr))
		return true;
	return span &&
	       ms_go_alloc_bytes(i->layout, i->unit_bytes, i->has_pointers) == span->elem_bytes;
}

/** Whether a link is to be followed; where it must not be, what is wrong with it was noted. */
static struct ms_error *link_check(struct ms_classic_look *k, const struct ms_classic_link *link,
				   bool *ret_follow)
{
	struct ms_inspection *i = k->i;
	struct ms_inspect_array *a = k->arrays[link->which];
	const uint32_t *other = ms_number_map_find(&k->seen, link->addr);

	*ret_follow = false;
	if (!leads_to_bucket(k, link)) {
		ms_invariant_break(i, MS_INV_OVERFLOW,
				   "%sbucket %" PRIu64 " leads to 0x%" PRIx64
				   ", which is no bucket",
				   ms_classic_array_name(link->which), link->unit, link->addr);
		return NULL;
	}
	if (other) {
		bool itself = *other == (uint32_t)(link->unit * 2 + link->which);

		ms_invariant_break(i, MS_INV_CHAIN_CYCLE,
				   "the chain of %sbucket %" PRIu64 " %s at 0x%" PRIx64,
				   ms_classic_array_name(link->which), link->unit,
				   itself ? "comes back to itself" : "joins another's", link->addr);
		return NULL;
	}
	if (k->overflow_seen++ >= OVERFLOW_MAX) {
		k->is_whole = false;
		ms_inspect_unread(i, "it has more overflow buckets than are followed");
		return NULL;
	}
	if (!ms_number_map_add(&k->seen, link->addr, (uint32_t)(link->unit * 2 + link->which)))
		return ms_error_no_memory();
	a->overflow++;
	if (a->chains[link->unit] < UINT16_MAX)
		a->chains[link->unit]++;
	*ret_follow = true;
	return NULL;
}

/** Queue the tags and the link of those that are to be followed; k->links keeps only them. */
static struct ms_error *batch_want(struct ms_classic_look *k, size_t first, size_t count,
				   size_t *ret_kept)
{
	size_t kept = first;
	struct ms_error *err = NULL;
	uint32_t want;

	ms_fetch_reset(&k->i->fetch);
	for (size_t n = first; n < first + count && !err; n++) {
		struct ms_classic_link link = k->links.items[n];
		bool follow;

		err = link_check(k, &link, &follow);
		if (err || !follow)
			continue;
		k->links.items[kept++] = link;
		err = ms_fetch_add(&k->i->fetch, link.addr, MS_INSPECT_TAG_BYTES, &want);
		if (!err)
			err = ms_fetch_add(&k->i->fetch,
					   link.addr + k->i->unit_bytes - MS_INSPECT_LINK_BYTES,
					   MS_INSPECT_LINK_BYTES, &want);
	}
	*ret_kept = kept - first;
	return err;
}

static struct ms_error *batch_take(struct ms_classic_look *k, size_t first, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		const struct ms_classic_link *link = &k->links.items[first + n];
		const uint8_t *tags = ms_fetch_bytes(&k->i->fetch, (uint32_t)(n * 2));
		const uint8_t *next = ms_fetch_bytes(&k->i->fetch, (uint32_t)(n * 2 + 1));

		if (!tags || !next) {
			k->is_whole = false;
			ms_inspect_unread(k->i, "an overflow bucket cannot be read");
			continue;
		}
		ms_inspect_mix(k->i, ms_load_u64(tags));
		ms_inspect_mix(k->i, ms_load_u64(next));
		ms_classic_take_tags(k, link->which, link->unit, tags);
		if (!ms_classic_add_link(k, link->which, link->unit, ms_load_u64(next)))
			return ms_error_no_memory();
	}
	return NULL;
}

/** Follow one level of links; afterwards k->next holds the next. */
static struct ms_error *level_follow(struct ms_classic_look *k)
{
	struct ms_classic_links swap = k->links;
	struct ms_error *err = NULL;

	k->links = k->next;
	k->next = swap;
	k->next.count = 0;
	for (size_t n = 0; n < k->links.count && !err && !ms_inspect_stopped(k->i);
	     n += LINKS_AT_ONCE) {
		size_t kept, count = ms_min_u64(LINKS_AT_ONCE, k->links.count - n);

		err = batch_want(k, n, count, &kept);
		if (!err)
			err = ms_fetch_run(&k->i->fetch, k->i->rt->target);
		if (!err)
			err = batch_take(k, n, kept);
	}
	return err;
}

struct ms_error *ms_classic_follow_chains(struct ms_classic_look *k)
{
	struct ms_error *err = NULL;

	ms_invariant_ask(k->i, MS_INV_CHAIN_CYCLE);
	ms_invariant_ask(k->i, MS_INV_OVERFLOW);
	for (unsigned level = 0; k->next.count && !err && !ms_inspect_stopped(k->i); level++) {
		if (level == LEVEL_MAX) {
			ms_invariant_break(k->i, MS_INV_CHAIN_CYCLE,
					   "the chain of %sbucket %" PRIu64
					   " is over %d buckets long",
					   ms_classic_array_name(k->next.items[0].which),
					   k->next.items[0].unit, (int)LEVEL_MAX);
			break;
		}
		err = level_follow(k);
	}
	return err;
}
