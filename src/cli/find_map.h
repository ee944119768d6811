// find_map.h - the one map that was named, by its address or by its owner as a page prints it.
#pragma once

#include "report/census.h"

/**
 * The row of the map called @p word, an address ("0x...") or an owner.  USAGE when there is none,
 * or several, which are listed with their addresses; the sentence says what to type.
 */
MS_MUST_USE struct ms_error *ms_find_map(const struct ms_census_report *census, const char *word,
					 const struct ms_map_row **ret_row);

/** How many maps are called so. */
size_t ms_find_map_count(const struct ms_census_report *census, const char *word);

/** Whether @p word is an address; *ret_address is it. */
bool ms_map_word_is_address(const char *word, ms_addr *ret_address);
