// followed_check.c - maps die, and what is allocated in their place may look like a map's header.
//
// A dead map's memory keeps its bytes until it is handed out again, and then it is anything of 48
// bytes.  Nothing in a header says so.  What can be relied upon:
//
//   - A map keeps its seed, but for when it is cleared or its last entry goes.  So with another
//     seed it is the same map only if it still has its table, or empties that very table.
//   - A map of one bucket has as many tags as entries; a small Swiss map likewise.
//   - A table begins with tags, in any case.
//   - A census has held a map against the heap's spans and the program's types.
//
// So each map is believed when it is first read only as far as its table bears it out, and of a
// larger one only if a census knows it; and it is doubted again whenever its table is another one.
// A header that does not convince is read again some times, since a write may have come between;
// then it is left alone until a census finds a map there.
#include "trace/followed_check.h"

#include "maps/classic.h"
#include "maps/swiss.h"

bool ms_followed_is_other(const struct ms_followed_map *m, const struct ms_poll *now)
{
	if (now->table == m->last.table)
		return false;
	if (now->old_table && now->old_table == m->last.table)
		return false;
	if (now->seed != m->last.seed)
		return true;
	// One bucket never overflows, and so is never rebuilt.
	return now->size == m->last.size && now->size == 1 && m->last.table;
}

bool ms_followed_is_torn(const struct ms_followed *f, const struct ms_followed_map *m,
			 const struct ms_poll *now)
{
	if (f->rt->layout->maps != MS_GO_MAPS_CLASSIC || now->seed != m->last.seed ||
	    now->table != m->last.table)
		return false;
	return now->size != m->last.size || (now->growing && !m->last.growing);
}

bool ms_followed_wants_tags(const struct ms_followed_map *m, const struct ms_poll *now)
{
	return now->table && (!m->seen || now->table != m->last.table);
}

/** The census had just these numbers. */
static bool is_of_census(const struct ms_followed_map *m, uint64_t slots, uint64_t entries)
{
	return m->census_slots == slots && m->census_entries == entries;
}

/** A map that had no bucket, or one, has come to many by growing, and that leaves its mark. */
static bool has_grown(const struct ms_followed_map *m, const struct ms_poll *now)
{
	return m->census_slots > MS_CLASSIC_SLOTS || now->growing || now->frontier;
}

static bool believes_classic(const struct ms_followed_map *m, const struct ms_poll *now, bool anew,
			     const uint8_t *tags)
{
	int filled = ms_classic_bucket_entries(tags);
	uint64_t slots = now->size * MS_CLASSIC_SLOTS;

	if (filled < 0)
		return false;
	if (!anew)
		return true;
	if (now->size == 1)
		return (uint64_t)filled == now->entries;
	if (!m->in_census || m->census_slots > slots)
		return false;
	return is_of_census(m, slots, now->entries) || (filled > 0 && has_grown(m, now));
}

bool ms_followed_believes(const struct ms_followed *f, const struct ms_followed_map *m,
			  const struct ms_poll *now, const uint8_t tags[MS_FOLLOWED_TAGS])
{
	bool anew = !m->seen || !m->last.table;

	if (f->rt->layout->maps == MS_GO_MAPS_CLASSIC)
		return believes_classic(m, now, anew, tags);
	if (now->is_small)
		return ms_swiss_group_entries(tags) == (int)now->entries;
	return true; // A directory's tables are looked at one by one.
}
