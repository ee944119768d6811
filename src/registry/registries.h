// registries.h - the lists of maps that libhmap keeps in a process, found and read from outside.
//
// A program or library that has libhmap in it has an ELF note that leads to its registry, which
// says by itself where everything lies (include/hmap/hmap_registry.h): no symbol is needed, and no
// library of our version.  A process can have several: a library of its own may have libhmap in it.
#pragma once

#include "target/target.h"

#include <hmap/hmap_registry.h>

enum { MS_REGISTRIES_MAX = 16 };

struct ms_registry_field {
	uint16_t offset, size; // Bytes; size 0: this libhmap has no such member.
};

/** One registry, as its own header describes it; checked. */
struct ms_registry {
	ms_addr address;
	ms_addr module_start, module_end; // The first mapping of the file that has it.
	char library[17];                 // libhmap's version, "0.1.0".
	bool is_begun;                    // Its process has made a map: before, there is no list.
	uint32_t group_slots;
	uint64_t unborn_mask;
	struct ms_registry_field fields[HMAP_FIELDS];
	uint32_t map_bytes, type_bytes, classic_bytes; // From the start up to the last member.
	uint32_t map_head_bytes, classic_head_bytes;   // Likewise, with those that tables need.
};

struct ms_registries {
	struct ms_target *target; // Borrowed.
	struct ms_registry items[MS_REGISTRIES_MAX];
	size_t count;
	uint64_t refused;        // Notes that lead to no registry that we can read ...
	const char *refused_why; // ... and why not the last of them.  Static.
};

/**
 * Find the registries of @p target; none is no error.  GONE, DENIED, NO_MEMORY.  What they point to
 * is borrowed from @p target.
 */
MS_MUST_USE struct ms_error *ms_registries_find(struct ms_target *target,
						struct ms_registries *ret_registries);

/** What the head of a registry says as it is read. */
struct ms_registry_state {
	uint64_t changes; // Odd: the list is being changed.
	uint64_t unlisted, used;
	uint64_t leaves[HMAP_REGISTRY_LEAVES];
};

MS_MUST_USE struct ms_error *ms_registry_state_read(struct ms_target *target,
						    const struct ms_registry *registry,
						    struct ms_registry_state *ret_state);

/** A map's own words.  What its libhmap does not have is MS_UNKNOWN. */
struct ms_hmap_words {
	uint64_t type, name, created_at, classic;
	uint64_t count, groups, low, pass, grow_at, state, nodes, bytes;
	uint64_t growths, compactions, shrinks, compacted;
	struct {
		uint64_t count, B, overflow, old, evacuated, flags, load, bytes;
		uint64_t growths, compactions;
	} c; // Of the classic engine; where classic is not 0.
};

/** The engine of a map, by its words. */
static inline bool ms_hmap_is_classic(const struct ms_hmap_words *words)
{
	return words->classic && words->classic != MS_UNKNOWN;
}

enum ms_hmap_look_status {
	MS_HMAP_UNREAD, // It could not be read.
	MS_HMAP_READ,
};

/** One map to look at. */
struct ms_hmap_look {
	ms_addr address;
	const struct ms_registry *registry;
	enum ms_hmap_look_status status; // Of the last look.
	struct ms_hmap_words words;
};

/** Read the words of @p count maps.  An error means that the target is lost, or memory short. */
MS_MUST_USE struct ms_error *ms_hmap_look(struct ms_target *target, struct ms_hmap_look *looks,
					  size_t count);

/** A member of @p raw by its number, MS_UNKNOWN where there is none. */
uint64_t ms_registry_load(const struct ms_registry *registry, enum hmap_field field,
			  const uint8_t *raw);

/** Members of a map and of its classic engine, by number; MS_UNKNOWN: this libhmap has none. */
struct ms_hmap_head {
	uint64_t members[HMAP_FIELDS];
};

/**
 * Read all that is said of one map, and nothing else.  *ret_read: it could be.  An error means that
 * the target is lost, or memory short.
 */
MS_MUST_USE struct ms_error *ms_hmap_head_read(struct ms_target *target,
					       const struct ms_registry *registry, ms_addr map,
					       struct ms_hmap_head *ret_head, bool *ret_read);

/** The words of a map, of a head. */
struct ms_hmap_words ms_hmap_head_words(const struct ms_hmap_head *head);

/** Read the members [first, end), which are of one struct at @p addr; else as the one above. */
MS_MUST_USE struct ms_error *ms_registry_read(struct ms_target *target,
					      const struct ms_registry *registry, ms_addr addr,
					      enum hmap_field first, enum hmap_field end,
					      struct ms_hmap_head *ret_head, bool *ret_read);

/** Whether the registry says where the tables of an engine lie: an older libhmap does not. */
bool ms_registry_has_tables(const struct ms_registry *registry, bool classic);
