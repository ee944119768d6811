// kept_once.c - what is kept once each is found again by its hash: at most half full, no deletions.
//
// Not a map of libhmap's: it would be in the list of maps that is being looked at, and its growths
// would be events like any other's.
#include "hmap_debug/parts.h"

#include <stdlib.h>

enum { ROOM_MIN = 256 }; // A power of two, as all that follow.

static void place(struct hd_place *places, size_t room, struct hd_place what)
{
	size_t at = what.hash & (room - 1);

	while (places[at].number)
		at = (at + 1) & (room - 1);
	places[at] = what;
}

static bool grow(struct hd_kept_once *kept)
{
	size_t room = kept->room ? 2 * kept->room : ROOM_MIN;
	struct hd_place *places = calloc(room, sizeof(*places));

	if (!places)
		return false;
	for (size_t i = 0; i < kept->room; i++)
		if (kept->places[i].number)
			place(places, room, kept->places[i]);
	free(kept->places);
	kept->places = places;
	kept->room = room;
	return true;
}

bool hd_kept_once_add(struct hd_kept_once *kept, uint64_t hash, size_t number)
{
	if (2 * (kept->count + 1) > kept->room && !grow(kept))
		return false;
	place(kept->places, kept->room, (struct hd_place){ hash, number });
	kept->count++;
	return true;
}

size_t hd_kept_once_next(const struct hd_kept_once *kept, uint64_t hash, size_t *at)
{
	while (kept->room) {
		const struct hd_place *here = &kept->places[(hash + (*at)++) & (kept->room - 1)];

		if (!here->number || here->hash == hash)
			return here->number;
	}
	return 0;
}

void hd_kept_once_end(struct hd_kept_once *kept)
{
	free(kept->places);
	*kept = (struct hd_kept_once){ 0 };
}
