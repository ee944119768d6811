/*
 * hmap_registry.h - all maps of a process: from inside, and from outside without symbols.
 *
 * Every map is listed from hmap_create to hmap_destroy.  Inside, hmap_each_map and hmap_totals go
 * through the list.  From outside, a tool that reads the memory of the process finds
 *
 *	a note (owner "hmap", type HMAP_NOTE_REGISTRY) in a PT_NOTE segment of the program or
 *library |  which holds the distance, in bytes, from itself to
 *	    v
 *	struct hmap_registry: a cookie, its version and size, offsets, and the list
 *	    |
 *	    v
 *	leaves of addresses of maps, whose members lie where the registry says
 *
 * so that it needs neither symbols nor a matching version: what it does not know it leaves out, and
 * an offset that is 0 with size 0 is a member that this library does not have.  The numbers of
 * fields are pinned: new ones come at the end.  Tables are described likewise, so that a reader can
 * open one without knowing the library that made it.
 */
#ifndef HMAP_HMAP_REGISTRY_H
#define HMAP_HMAP_REGISTRY_H

#include <hmap/hmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------- */
/* From inside                                                                                 */

/** Called for each map until it says false.  The list is held meanwhile: it must neither make nor
 *  end a map (that would wait for ever), and use none that another thread may be using. */
typedef bool (*hmap_each_fn)(const struct hmap *map, void *state);

/** Calls `visit` for every map of the process.  O(maps). */
HMAP_API void hmap_each_map(hmap_each_fn visit, void *state);

/**
 * Sums over all maps of the process.  What other threads do meanwhile may or may not be in them:
 * each number is one that a map had, and they need not be of one moment.  Whoever asks stops
 * nobody.
 */
struct hmap_totals {
	size_t maps;
	size_t entries, slots;
	double avg_load; /**< entries / slots of all tables */
	size_t overflow; /**< overflow nodes and buckets in use */
	size_t total_bytes, live_bytes, slack_bytes, reserved_bytes;
	size_t passes;                          /**< growths, halvings and tidyings under way */
	uint64_t growths, compactions, shrinks; /**< of maps that are there */
	uint64_t created, freed;                /**< since the process began */
	size_t longest_chain; /**< overflow nodes, so far; 0 unless the observer has `figures` */
	uint64_t worst_ns; /**< likewise: what a growth, its end or new memory took of one call */
	uint64_t unlisted; /**< maps for which the list had no memory: in none of these numbers */
};

HMAP_API void hmap_totals(struct hmap_totals *ret_totals);

#define HMAP_NAME_BYTES 64

/** The sums over all maps of one name (those without one: of one type's name). */
struct hmap_named_totals {
	char name[HMAP_NAME_BYTES]; /**< a copy, cut to fit; "": those without a name */
	bool is_other;              /**< not one name, but all that had no room */
	struct hmap_totals totals;  /**< created, freed and unlisted are 0 */
};

/**
 * The sums by name into `ret`, by total_bytes, descending; returns how many names there are.  Where
 * these are more than `count`, the last one that fits is "other" and sums up the rest.  `count` is
 * at least 2.  HMAP_NO_MEMORY is said by (size_t)-1.  `ret_all` (may be NULL) is what hmap_totals
 * says, of the same moment.
 */
HMAP_API size_t hmap_totals_by_name(struct hmap_named_totals *ret, size_t count,
				    struct hmap_totals *ret_all);

/** What hmap_stats says without a walk, of a map that another thread may be using: each number is
 *  one that it had.  For callers of hmap_each_map. */
HMAP_API void hmap_peek(const struct hmap *map, struct hmap_stats *ret_stats);

/** Where hmap_create (or hmap_clone) was called: a return address; NULL for a NULL map. */
HMAP_API const void *hmap_created_at(const struct hmap *map);

/* ------------------------------------------------------------------------------------------- */
/* Watching all maps                                                                           */

/** One access that was looked at. */
struct hmap_access {
	const struct hmap *map;
	uint64_t hash;
	size_t bucket;      /**< the block it belongs to */
	uint32_t shift;     /**< log2 of the blocks */
	uint32_t probes;    /**< groups and overflow nodes that it looks at */
	uint32_t prefix;    /**< leading bytes that its key has in common with the one before */
	uint8_t tag;        /**< of the hash, as a slot has it */
	uint8_t kind;       /**< enum hmap_access_kind */
	bool found;         /**< the key was there */
	uint8_t span_id[8]; /**< the caller's, with trace_id: zeros for none */
	uint8_t trace_id[16];
	uint64_t time_ns; /**< CLOCK_REALTIME */
};

/**
 * Asks for a look at the next access to `map`, which another thread may be using; false when it is
 * being written just now, or has none.  Costs the accesses nothing that are
 * not looked at.  For callers of hmap_each_map.
 */
HMAP_API bool hmap_audit_next(const struct hmap *map);

/** Fills in the ids of the request that the calling thread works on; false: it has none. */
typedef bool (*hmap_trace_id_fn)(uint8_t ret_trace_id[16], uint8_t ret_span_id[8], void *state);

/** Says whose work an access is.  Called on the thread that accesses, in the middle of its call. */
HMAP_API void hmap_set_trace_id(hmap_trace_id_fn fn, void *state);

/**
 * Told of the events of all maps, in addition to their own hooks and before these.  Called like
 * them: on the thread that writes, in the middle of its call.  `text` of a misuse is as in struct
 * hmap_misuse.  What `kinds` has no bit for costs nothing.
 */
struct hmap_observer {
	void (*event)(const struct hmap *map, const struct hmap_event *event, void *state);
	void (*misuse)(const struct hmap_misuse *misuse, void *state); /**< may be NULL */
	/** Accesses that hmap_audit_next asked for; may be NULL. */
	void (*access)(const struct hmap_access *access, void *state);
	uint32_t kinds; /**< 1 << HMAP_EVENT_GROWS | ...; for maps that are made from now on */
	bool figures;   /**< keep longest_chain and worst_ns; for maps made from now on */
	bool shrink;    /**< maps without a shrink policy get HMAP_SHRINKTRIGGER_LOAD */
	void *state;
};

/** Sets the one observer of the process (NULL: none any more).  It must outlive all maps.
 *  HMAP_NOT_SUPPORTED: there is another one. */
HMAP_API enum hmap_status hmap_observe(const struct hmap_observer *observer);

/* ------------------------------------------------------------------------------------------- */
/* From outside                                                                                */

#define HMAP_NOTE_OWNER "hmap"
#define HMAP_NOTE_REGISTRY 1
#define HMAP_REGISTRY_COOKIE "libhmap registry" /* 16 bytes, without a terminator */
#define HMAP_REGISTRY_VERSION 1

/** Members by number.  Of struct hmap unless the name says otherwise. */
enum hmap_field {
	HMAP_FIELD_TYPE,       /**< address of its struct hmap_type */
	HMAP_FIELD_NAME,       /**< address of a text; 0: none */
	HMAP_FIELD_CREATED_AT, /**< a return address */
	HMAP_FIELD_CLASSIC,    /**< address of the other engine's map; 0: it is steady */
	HMAP_FIELD_COUNT,      /**< entries (steady, like all that follow) */
	HMAP_FIELD_GROUPS,     /**< in use; times group_slots: slots */
	HMAP_FIELD_LOW,        /**< groups of the smaller size, in a pass */
	HMAP_FIELD_PASS,       /**< enum hmap_pass */
	HMAP_FIELD_GROW_AT,    /**< entries over which it grows */
	HMAP_FIELD_STATE,      /**< with unborn_mask: no table yet */
	HMAP_FIELD_NODES,      /**< overflow nodes in use */
	HMAP_FIELD_BYTES,      /**< all memory of the map */
	HMAP_FIELD_GROWTHS,
	HMAP_FIELD_COMPACTIONS,
	HMAP_FIELD_SHRINKS,
	HMAP_FIELD_COMPACTED, /**< groups done, in a pass of the same size */
	/* Of struct hmap_type. */
	HMAP_FIELD_TYPE_NAME,
	HMAP_FIELD_TYPE_KEY_NAME,
	HMAP_FIELD_TYPE_VALUE_NAME,
	HMAP_FIELD_TYPE_KEY_SIZE,
	HMAP_FIELD_TYPE_VALUE_SIZE,
	/* Of the classic engine's map. */
	HMAP_FIELD_CLASSIC_COUNT,
	HMAP_FIELD_CLASSIC_B,         /**< log2 of the buckets */
	HMAP_FIELD_CLASSIC_OVERFLOW,  /**< overflow buckets, about */
	HMAP_FIELD_CLASSIC_OLD,       /**< address of the old buckets; 0: no pass */
	HMAP_FIELD_CLASSIC_EVACUATED, /**< old buckets done */
	HMAP_FIELD_CLASSIC_FLAGS,     /**< 8: a pass of the same size */
	HMAP_FIELD_CLASSIC_LOAD,      /**< halves of an entry for each bucket at which it grows */
	HMAP_FIELD_CLASSIC_BYTES,
	HMAP_FIELD_CLASSIC_GROWTHS,
	HMAP_FIELD_CLASSIC_COMPACTIONS,
	/* Where a table lies; a library whose tables lie in another way has none of what follows.
	 * hmap_table.h and hmap_classic.h draw them.  Of struct hmap: */
	HMAP_FIELD_TAGS,  /**< address of the tags of group 0; where they are not in segments */
	HMAP_FIELD_SLOTS, /**< likewise of its slots */
	HMAP_FIELD_MASK,  /**< groups - 1, of the larger size in a pass */
	HMAP_FIELD_SEED,
	HMAP_FIELD_READY,         /**< groups that have memory; those not in use have empty tags */
	HMAP_FIELD_BLOCK_MASK,    /**< groups of a block - 1 */
	HMAP_FIELD_SMALL_BYTES,   /**< of a table that is one block of memory; else 0 */
	HMAP_FIELD_SEGMENTS,      /**< address of addresses of leaves of addresses of segments */
	HMAP_FIELD_SEGMENT_SHIFT, /**< log2 of the groups of a segment */
	HMAP_FIELD_SEGMENT_SLOTS_AT, /**< where slots begin in one; tags begin with it */
	HMAP_FIELD_SLABS,            /**< address of the first slab of nodes */
	HMAP_FIELD_NODES_MADE,       /**< overflow nodes in all slabs */
	HMAP_FIELD_SLOT_KEY_BYTES,
	HMAP_FIELD_SLOT_VALUE_BYTES,
	HMAP_FIELD_SLOT_VALUE_AT,
	HMAP_FIELD_SLOT_HASH_AT, /**< of 32 bits of hash; beyond the slot: none are stored */
	HMAP_FIELD_SLOT_BYTES,
	HMAP_FIELD_LINK_SLOTS, /**< the last slots of a block that a link takes */
	HMAP_FIELD_NODE_SLOTS,
	HMAP_FIELD_NODE_SLOTS_AT,
	HMAP_FIELD_NODE_BYTES,
	HMAP_FIELD_SLOT_FLAGS, /**< 1: keys lie elsewhere, and slots point there; 2: values */
	/* Of the classic engine's map. */
	HMAP_FIELD_CLASSIC_SEED,
	HMAP_FIELD_CLASSIC_BUCKETS, /**< address; 0: no table yet */
	HMAP_FIELD_CLASSIC_EXTRA,
	HMAP_FIELD_CLASSIC_KEY_BYTES, /**< in a slot */
	HMAP_FIELD_CLASSIC_VALUE_BYTES,
	HMAP_FIELD_CLASSIC_VALUES_AT, /**< in a bucket */
	HMAP_FIELD_CLASSIC_BUCKET_BYTES,
	HMAP_FIELD_CLASSIC_KEY_AWAY, /**< keys lie elsewhere, and slots point there */
	HMAP_FIELD_CLASSIC_VALUE_AWAY,
	HMAP_FIELD_CLASSIC_ARRAY,     /**< address of the record of the array of buckets */
	HMAP_FIELD_CLASSIC_OLD_ARRAY, /**< of the old one's */
	/* Of such a record. */
	HMAP_FIELD_ARRAY_BUCKETS,
	HMAP_FIELD_ARRAY_BYTES, /**< of the array, with what is behind its buckets */
	HMAP_FIELD_ARRAY_B,
	HMAP_FIELD_ARRAY_PIECES, /**< address of the first piece of overflow buckets */
	/* Of a piece and of a slab: the buckets or nodes in it end where it does. */
	HMAP_FIELD_PIECE_NEXT,
	HMAP_FIELD_PIECE_BYTES,
	HMAP_FIELD_SLAB_NEXT,
	HMAP_FIELD_SLAB_BYTES,
	/* Of an overflow node. */
	HMAP_FIELD_NODE_NEXT,
	HMAP_FIELD_NODE_TAGS, /**< 0: free */
	/* Numbers, not members: the value stands in `offset`, and the size is 0. */
	HMAP_FIELD_GROUP_BYTES, /**< of the tags of a group, group_slots of which are tags: 0 empty,
				 *   1 a link, more an entry */
	HMAP_FIELD_STRAYS_AT,   /**< among them the count of entries that lie in another group */
	HMAP_FIELD_SEGMENT_LEAF,   /**< addresses in a leaf */
	HMAP_FIELD_STATE_PASS,     /**< bit of state: a pass is under way */
	HMAP_FIELD_STATE_SEGMENTS, /**< bit of state: the table is in segments */
	HMAP_FIELD_STATE_FLAGS,    /**< bits of state that do not say who is writing just now */
	HMAP_FIELDS
};

#define HMAP_REGISTRY_LEAVES 26
#define HMAP_REGISTRY_FIRST_LEAF 64

/**
 * What a reader from outside finds.  Leaf n has HMAP_REGISTRY_FIRST_LEAF << n words: the address of
 * a map, or, with the lowest bit set (or 0), a place that is free.  `changes` is odd while the list
 * is being changed.
 */
struct hmap_registry {
	char cookie[16];
	uint32_t version;
	uint32_t size;    /**< of this struct */
	char library[16]; /**< its version, "0.1.0" */
	uint64_t changes;
	uint64_t maps, created, freed, unlisted;
	uint64_t free_place; /**< 0: none; else one more than a place */
	uint64_t used;       /**< places that ever held a map: all maps are among these */
	uint64_t unborn_mask;
	uint32_t map_size; /**< bytes of struct hmap */
	uint32_t group_slots;
	uint32_t leaf_count;
	uint32_t field_count;
	uint64_t leaves[HMAP_REGISTRY_LEAVES]; /**< addresses; 0: not there yet */
	struct hmap_registry_field {
		uint16_t offset, size;
	} fields[HMAP_FIELDS];
};

#ifdef __cplusplus
}
#endif

#endif
