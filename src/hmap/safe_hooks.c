// What the hooks of a safe map are told, and when.  All of it runs under `writers`.
//
// Growths begin here and not in the table: a hook that is told before a growth must run before the
// readers are held off for it.
#include "hmap/safe.h"

/** Entries at which a table of so many groups grows. */
size_t hmapi_capacity_of(const struct hmap *m, size_t groups)
{
	if (groups == 1)
		return HMAP_GROUP_SLOTS;
	return (size_t)((double)(groups * HMAP_GROUP_SLOTS) * m->load) + 1;
}

/** Groups of the table, once a pass under way is over. */
size_t hmapi_groups_of(const struct hmap *m)
{
	if (m->pass == HMAP_PASS_GROW)
		return 2 * m->low;
	return m->pass == HMAP_PASS_SHRINK ? m->low : m->groups;
}

static size_t groups_after_growth(const struct hmap *m)
{
	size_t groups = hmapi_groups_of(m);

	return groups == 1 ? HMAP_BLOCK_GROUPS : 2 * groups;
}

static void tell(struct hmap_safe *s, hmap_safe_event_fn hook, size_t from, size_t to)
{
	const struct hmap_safe_event event = { hmap_count(s->map), from, to };

	if (hook)
		hook(s, &event, s->hooks->state);
}

void hmapi_tell_barrier(struct hmap_safe *s, const void *key, const struct hmapi_version *from,
			const struct hmapi_version *to)
{
	if (s->hooks->barrier)
		s->hooks->barrier(s, key, from ? hmapi_value_of_version(from) : NULL,
				  to ? hmapi_value_of_version(to) : NULL, s->hooks->state);
}

void hmapi_tell_growth(struct hmap_safe *s, size_t from, size_t to)
{
	s->grows = true;
	s->grows_from = from;
	tell(s, s->hooks->before_growth, from, to);
}

static void tell_grown(struct hmap_safe *s)
{
	s->grows = false;
	tell(s, s->hooks->after_growth, s->grows_from,
	     hmapi_capacity_of(s->map, hmapi_groups_of(s->map)));
}

/** Tells of the end of a growth, where this is it. */
void hmapi_follow_growth(struct hmap_safe *s)
{
	const struct hmap *m = s->map;

	if (m->growths != s->growths) {
		// The pass ended late, and the next was due in the same write.
		s->growths = m->growths;
		if (s->grows)
			tell(s, s->hooks->after_growth, s->grows_from,
			     hmapi_capacity_of(m, hmapi_groups_of(m) / 2));
		hmapi_tell_growth(s, hmapi_capacity_of(m, hmapi_groups_of(m) / 2),
				  hmapi_capacity_of(m, hmapi_groups_of(m)));
	}
	if (s->grows && m->pass != HMAP_PASS_GROW)
		tell_grown(s);
}

/** Begins a growth if a new entry of @p key would, and tells of it first. */
void hmapi_make_way(struct hmap_safe *s, const void *key)
{
	struct hmap *m = s->map;

	if (m->pass || m->count < m->grow_at || m->count < m->usual_grow_at || hmap_get(m, key))
		return;
	hmapi_tell_growth(s, hmapi_capacity_of(m, hmapi_groups_of(m)),
			  hmapi_capacity_of(m, groups_after_growth(m)));
	hmapi_begin_change(s);
	(void)hmap_begin_pass(m, HMAP_PASS_GROW); // Without memory, the table goes on fuller.
	s->growths = m->growths;
	hmapi_end_change(s, 0);
	hmapi_follow_growth(s);
}

size_t hmapi_capacity_in_force(const struct hmap_safe *s)
{
	return s->given_capacity ? s->given_capacity
				 : hmapi_capacity_of(s->map, hmapi_groups_of(s->map));
}

void hmapi_watch_load(struct hmap_safe *s)
{
	size_t capacity = hmapi_capacity_in_force(s);

	if ((double)hmap_count(s->map) <= s->watermark * (double)capacity) {
		s->told_capacity = 0;
	} else if (capacity <= s->told_capacity) {
		s->told_capacity = capacity;
	} else {
		s->told_capacity = capacity;
		tell(s, s->hooks->high_load, capacity,
		     hmapi_capacity_of(s->map, groups_after_growth(s->map)));
	}
}

/** After each write, whatever became of it. */
void hmapi_watch(struct hmap_safe *s)
{
	hmapi_follow_growth(s);
	hmapi_watch_load(s);
}
