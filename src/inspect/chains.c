// chains.c - overflow buckets of a classic map, or nodes of a steady one, followed level by level.
//
// Links of all chains are followed together: those of one level are one batch of reads.  A link has
// to lead to memory that is a bucket or node, as far as whoever asks can tell; and to one that no
// chain had before.
#include "inspect/chains.h"

#include "base/vec.h"

#include <inttypes.h>

enum {
	OVERFLOW_MAX = 1 << 24,
	LEVEL_MAX = 1 << 16, // Of one chain that are followed.
	LINKS_AT_ONCE = 1 << 20,
};

bool ms_chains_add(struct ms_chains *c, unsigned which, uint64_t unit, ms_addr addr)
{
	return !addr || ms_vec_push(&c->next, { addr, unit, which });
}

void ms_chains_deinit(struct ms_chains *c)
{
	ms_vec_free(&c->links);
	ms_vec_free(&c->next);
	ms_number_map_deinit(&c->seen);
}

/** Whether a link is to be followed; where it must not be, what is wrong with it was noted. */
static struct ms_error *link_check(struct ms_chains *c, const struct ms_chain_link *link,
				   bool *ret_follow)
{
	struct ms_inspection *i = c->i;
	struct ms_inspect_array *a = c->arrays[link->which];
	const uint32_t *other = ms_number_map_find(&c->seen, link->addr);

	*ret_follow = false;
	if (!c->leads(c, link)) {
		ms_invariant_break(i, MS_INV_OVERFLOW,
				   "%s %" PRIu64 " leads to 0x%" PRIx64 ", which is no %s",
				   c->unit_names[link->which], link->unit, link->addr, c->name);
		return NULL;
	}
	if (other) {
		bool itself = *other == (uint32_t)(link->unit * 2 + link->which);

		ms_invariant_break(i, MS_INV_CHAIN_CYCLE,
				   "the chain of %s %" PRIu64 " %s at 0x%" PRIx64,
				   c->unit_names[link->which], link->unit,
				   itself ? "comes back to itself" : "joins another's", link->addr);
		return NULL;
	}
	if (c->overflow_seen++ >= OVERFLOW_MAX) {
		c->is_whole = false;
		ms_inspect_unread(i, "it has more overflow than is followed");
		return NULL;
	}
	if (!ms_number_map_add(&c->seen, link->addr, (uint32_t)(link->unit * 2 + link->which)))
		return ms_error_no_memory();
	a->overflow++;
	if (a->chains[link->unit] < UINT16_MAX)
		a->chains[link->unit]++;
	*ret_follow = true;
	return NULL;
}

/** Queue the tags and the link of those that are to be followed; c->links keeps only them. */
static struct ms_error *batch_want(struct ms_chains *c, size_t first, size_t count,
				   size_t *ret_kept)
{
	size_t kept = first;
	struct ms_error *err = NULL;
	uint32_t want;

	ms_fetch_reset(&c->i->fetch);
	for (size_t n = first; n < first + count && !err; n++) {
		struct ms_chain_link link = c->links.items[n];
		bool follow;

		err = link_check(c, &link, &follow);
		if (err || !follow)
			continue;
		c->links.items[kept++] = link;
		err =
		    ms_fetch_add(&c->i->fetch, link.addr + c->tags_at, MS_INSPECT_TAG_BYTES, &want);
		if (!err)
			err = ms_fetch_add(&c->i->fetch, link.addr + c->next_at,
					   MS_INSPECT_LINK_BYTES, &want);
	}
	*ret_kept = kept - first;
	return err;
}

static struct ms_error *batch_take(struct ms_chains *c, size_t first, size_t count)
{
	for (size_t n = 0; n < count; n++) {
		const struct ms_chain_link *link = &c->links.items[first + n];
		const uint8_t *tags = ms_fetch_bytes(&c->i->fetch, (uint32_t)(n * 2));
		const uint8_t *next = ms_fetch_bytes(&c->i->fetch, (uint32_t)(n * 2 + 1));

		if (!tags || !next) {
			c->is_whole = false;
			ms_inspect_unread(c->i, "part of its overflow cannot be read");
			continue;
		}
		ms_inspect_mix(c->i, ms_load_u64(tags));
		ms_inspect_mix(c->i, ms_load_u64(next));
		c->take(c, link, tags);
		if (!ms_chains_add(c, link->which, link->unit, ms_load_u64(next)))
			return ms_error_no_memory();
	}
	return NULL;
}

/** Follow one level of links; afterwards c->next holds the next. */
static struct ms_error *level_follow(struct ms_chains *c)
{
	struct ms_chain_links swap = c->links;
	struct ms_error *err = NULL;

	c->links = c->next;
	c->next = swap;
	c->next.count = 0;
	for (size_t n = 0; n < c->links.count && !err && !ms_inspect_stopped(c->i);
	     n += LINKS_AT_ONCE) {
		size_t kept, count = ms_min_u64(LINKS_AT_ONCE, c->links.count - n);

		err = batch_want(c, n, count, &kept);
		if (!err)
			err = ms_fetch_run(&c->i->fetch, c->i->target);
		if (!err)
			err = batch_take(c, n, kept);
	}
	return err;
}

struct ms_error *ms_chains_follow(struct ms_chains *c)
{
	struct ms_error *err = NULL;

	ms_invariant_ask(c->i, MS_INV_CHAIN_CYCLE);
	ms_invariant_ask(c->i, MS_INV_OVERFLOW);
	for (unsigned level = 0; c->next.count && !err && !ms_inspect_stopped(c->i); level++) {
		if (level == LEVEL_MAX) {
			c->is_whole = false;
			ms_inspect_unread(c->i, "it has a chain longer than is followed");
			break;
		}
		err = level_follow(c);
	}
	return err;
}
