// followed_check.h - whether what lies at an address is still, or is at all, the map it was.
#pragma once

#include "trace/followed.h"

enum { MS_FOLLOWED_TAGS = 8 }; // Bytes read of a table: one bucket's tags, one group's controls.

/**
 * True when the header cannot follow upon the last one of the same map: it was caught between two
 * stores.
 */
bool ms_followed_is_torn(const struct ms_followed *followed, const struct ms_followed_map *map,
			 const struct ms_poll *now);

/** True when it is another map's header, or none. */
bool ms_followed_is_other(const struct ms_followed_map *map, const struct ms_poll *now);

/** True when the header alone does not do: the table it names has to look like one. */
bool ms_followed_wants_tags(const struct ms_followed_map *map, const struct ms_poll *now);

/** Hold a header against the first @p tags of its table. */
bool ms_followed_believes(const struct ms_followed *followed, const struct ms_followed_map *map,
			  const struct ms_poll *now, const uint8_t tags[MS_FOLLOWED_TAGS]);
