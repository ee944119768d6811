// plan.h - what a walk has to do at a value of some type, made once from its descriptor.
//
//	struct { mu sync.Mutex; byID map[uint64]*Order; list [4]struct{ next *T } }
//	   ->  map at 8 ".byID" | pointer at 16, four times every 8 bytes ".list[].next"
//
// Structs and arrays inside a value are taken apart here, so that a visit is a loop over words.
#pragma once

#include "base/number_map.h"
#include "golang/types.h"
#include "walk/label.h"

/** A plan by its number; 0 is none: a type that is not known, or no type at all. */
typedef uint32_t ms_plan_id;

enum ms_op_kind {
	MS_OP_VALUE,     // A value of the type, which labels what it holds by itself.
	MS_OP_POINTER,   // A word that leads to a value of the type.
	MS_OP_SLICE,     // Data, length, capacity; of elements of the type.
	MS_OP_STRING,    // Data, length.
	MS_OP_EFACE,     // A type's descriptor and a word.
	MS_OP_IFACE,     // An itab and a word.
	MS_OP_MAP,       // A word that leads to the header of a map of the type.
	MS_OP_CHAN,      // A word that leads to a channel of elements of the type.
	MS_OP_FUNC,      // A word that leads to a closure.
	MS_OP_UNTYPED,   // A pointer of which nothing says what to.
	MS_OP_POOL,      // sync.Pool's array and its length, of elements of the type.
	MS_OP_TRIE,      // A hash trie (Go >= 1.24); the type is that of its branches.
	MS_OP_TRIE_NODE, // A word that leads to a node of a trie: an entry, or a branch of the
			 // type.
};

struct ms_op {
	uint32_t offset;
	uint32_t repeat, stride; // In an array: how often, how far apart; else 1.
	ms_plan_id type;
	ms_label_text path; // From the value to here.
	ms_label label;     // The field's, made when it is first needed; 0: not yet.
	uint32_t back;      // Of a trie: from the beginning of its struct to here.
	uint8_t kind;       // ms_op_kind
};

/** How labels of what a value holds begin. */
enum ms_plan_labels {
	MS_LABELS_ON,      // With the holder's, and on from there: unnamed types.
	MS_LABELS_OWN,     // With the type's own name.
	MS_LABELS_HOLDERS, // With the holder's, and no more: insides of sync.Map and the like.
};

struct ms_plan {
	ms_addr address; // Of the descriptor; 0 for a plan that stands for none.
	uint64_t bytes;
	uint64_t pointer_bytes; // What lies behind holds no pointers.
	ms_label_text name;     // As Go prints it.
	uint32_t first_op, op_count;
	ms_plan_id key, elem; // Of a map.
	ms_addr table;        // Of a map: descriptor of bucket or group.
	ms_plan_id table_plan;
	uint8_t kind;   // MS_KIND_*
	uint8_t labels; // ms_plan_labels
	bool is_direct; // An interface holds the value itself in its word, not a pointer to it.
	bool is_ready;  // Its ops were made.
	bool is_table;  // A bucket or group: begins with a byte for each of its slots.
	bool is_trie_entry;
	bool is_trie_branch;
	ms_plan_id entry; // Of a trie's branch: its entries'.
};

struct ms_plans {
	const struct ms_types *types;
	const struct ms_go_layout *layout;
	struct ms_labels *labels;
	struct ms_plan *items;
	size_t count, capacity;
	struct ms_op *ops;
	size_t op_count, op_capacity;
	struct ms_number_map by_address; // Of descriptors; 0 for what cannot be one.
	ms_plan_id any;                  // interface{}: no descriptor needed.
	struct ms_named_types {
		struct ms_named_type {
			ms_addr address;
			uint64_t hash; // Of its name.
		} * items;
		size_t count, capacity;
	} named;                     // Structs that are looked for by name: insides of sync.
	struct ms_plan_build *build; // Room for one plan in the making.
	uint64_t parts;              // Values looked at inside of all types.
	bool cut; // Some types are too large or too deep: nothing is known of them.
	bool out_of_memory;
};

/** Everything is borrowed and must outlive the plans. */
MS_MUST_USE struct ms_error *ms_plans_init(const struct ms_types *types,
					   const struct ms_go_layout *layout,
					   struct ms_labels *labels, struct ms_plans *ret_plans);

/** How a sync.Map lies in memory from Go 1.24 on; offsets are from its beginning. */
struct ms_plan_sync_map {
	ms_plan_id branch; // 0: the program has none.
	uint64_t bytes;
	uint64_t root, hash, equal; // The topmost branch, and two functions.
};

/** Of the trie that sync.Map is made of, where the program describes it. */
void ms_plans_sync_map(struct ms_plans *plans, struct ms_plan_sync_map *ret_map);

/** The plan of the type described at @p descriptor; 0 when nothing can be described there. */
ms_plan_id ms_plans_get(struct ms_plans *plans, ms_addr descriptor);

/** A plan with its ops made.  The pointer holds until the next plan is asked for. */
const struct ms_plan *ms_plans_ready(struct ms_plans *plans, ms_plan_id id);

static inline const struct ms_plan *ms_plans_at(const struct ms_plans *plans, ms_plan_id id)
{
	return &plans->items[id];
}

void ms_plans_deinit(struct ms_plans *plans);
