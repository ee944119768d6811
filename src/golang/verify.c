// verify.c - every fact of layout_fields.def, and what betrays a wrong one.
//
// The program says of itself, exactly and for ever (described.c):
//
//   module_* mspan_* g_* hmap_* mapextra_* map_* table_* func_* special_* hchan_*
//      each offset and size is in the runtime's own type descriptors, by name; func_* are also
//      held against the function table when that is loaded (functions_check.c)
//   structtype_* structfield_*
//      with one of them wrong those descriptors are not found, or say something else
//   maps
//      the map code that the table of functions names
//   module_types module_etypes type_kind type_bytes maptype_bucket maptype_group(_size)
//      a map type's bucket or group is a struct of that name, whose size stands in both
//   type_str type_tflag maptype_key maptype_elem
//      a map type is called "map[K]V" after its key and elem
//   ptrtype_* slicetype_* arraytype_* chantype_* functype_* interfacetype_* uncommontype_*
//      types are called after what they are made of (verify_types.c)
//   mapsplitgroup
//      a group has two fields, control word and slots, or three: control word, keys and elems
//
// A process is asked about what no descriptor tells, and the rest once more (verify_spans.c):
//
//   mspan_size                     neighbours in the span table are that far apart
//   mspan_start _npages _elemsize  sizes agree with each other and with the size classes
//     _spanclass _nelems _limit
//   mheap_sweepgen_to_allspans     a span's generation is within three of the heap's
//     mspan_sweepgen
//   inline_marks_size              a small span has as many objects as fit beside heap bits and
//     mspan_large_type             marks; whether it has heap bits goes with mspan_large_type
//   mspan_alloc_bits _freeindex    in a swept span that no P allocates from, freeindex and the
//     _alloc_count                 bits behind it make the count
//   g_status g_goid g_stack_*      states that exist, ids of their own, stacks that hold their
//     g_sched_* g_syscallsp        pointers, saved buffers that point back
//
// What escapes when it is wrong by one word only (tests/unit/verify_facts_test.c): type_size, which
// bounds what is read; type_ptrdata and maptype_bucket_size, where the word before looks right for
// a few types; inline_marks_size, when as many objects fit; and inline_marks_marks, which means
// something only during a collection.  No two rows differ in one of these by so little.
// finalizer_*, itab_* and gc_* stand in no descriptor of most programs: who reads them checks what
// he finds.
//
// What the program says does not move.  A process does, while it is looked at: so its checks want
// a share of what they looked at, not all, and are repeated before they refuse (runtime.c).
#include "golang/verify_internal.h"

#include "base/cleanup.h"
#include "golang/described.h"
#include "golang/goroutines.h"
#include "golang/struct_types.h"

#include <inttypes.h>

enum {
	GOOD_PERCENT = 90,
	GOROUTINES_LOOKED_AT = 2048,
};

struct ms_error *ms_verify_refusal(const char *what, uint64_t good, uint64_t seen)
{
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "layout check failed: %s: expected of %" PRIu64 " looked at, found of "
			    "%" PRIu64,
			    what, seen, good);
}

bool ms_verify_enough(uint64_t good, uint64_t seen)
{
	return good * 100 >= seen * GOOD_PERCENT;
}

static struct ms_error *check_functions(struct ms_go_runtime *rt)
{
	static const char *const names[] = {
		[MS_GO_MAPS_CLASSIC] = "runtime.growWork",
		[MS_GO_MAPS_SWISS] = "internal/runtime/maps.(*Map).growToTable",
	};
	const char *mine = names[rt->layout->maps], *other = names[!rt->layout->maps];
	bool has;
	struct ms_error *err = ms_pclntab_has_function(rt->target, &rt->pclntab, mine, &has);

	if (err || has)
		return err;
	err = ms_pclntab_has_function(rt->target, &rt->pclntab, other, &has);
	if (err || !has)
		return err;
	return ms_error_new(MS_ERR_UNSUPPORTED,
			    "layout check failed: map functions: expected %s, found %s", mine,
			    other);
}

/** A name as it is read: not terminated. */
struct name {
	const char *text;
	size_t size;
};

static bool name_read(const struct ms_types *types, const struct ms_go_layout *l, ms_addr address,
		      struct name *ret_name)
{
	return ms_types_name(types, l, address, &ret_name->text, &ret_name->size);
}

/** Drop @p prefix from the front of @p name; false when it does not begin with it. */
static bool skip(struct name *name, const char *prefix, size_t size)
{
	if (name->size < size || memcmp(name->text, prefix, size) != 0)
		return false;
	name->text += size;
	name->size -= size;
	return true;
}

/** "map[K]V" of what its key and elem are called; a type with a name of its own is not a pointer.
 */
static bool is_named(const struct ms_types *types, const struct ms_go_layout *l,
		     const struct ms_map_type *type)
{
	struct name name, key, elem;

	if (!name_read(types, l, type->address, &name) || !name_read(types, l, type->key, &key) ||
	    !name_read(types, l, type->elem, &elem))
		return false;
	if (!skip(&name, "map[", 4))
		return *name.text != '*';
	return skip(&name, key.text, key.size) && skip(&name, "]", 1) &&
	       skip(&name, elem.text, elem.size) && !name.size;
}

/** The compiler's name for a bucket or group, and as many fields as a group must have. */
static bool has_table(const struct ms_types *types, const struct ms_go_layout *l,
		      const struct ms_map_type *type)
{
	const char *wanted = l->maps == MS_GO_MAPS_SWISS ? "map.group[" : "map.bucket[";
	uint64_t fields = l->experiments & MS_GO_EXP_SPLIT_GROUP ? 3 : 2;
	struct ms_struct_type table;

	return ms_struct_type_read(types, l, type->table, &table) &&
	       memmem(table.name, table.name_size, wanted, strlen(wanted)) &&
	       (l->maps == MS_GO_MAPS_CLASSIC || table.field_count == fields);
}

static struct ms_error *check_map_types(const struct ms_types *types, const struct ms_go_layout *l)
{
	uint64_t named = 0, tables = 0;

	if (!types->count)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: map types: expected at least one in the "
				    "type section, found none");
	for (size_t i = 0; i < types->count; i++) {
		named += is_named(types, l, &types->items[i]);
		tables += has_table(types, l, &types->items[i]);
	}
	if (!ms_verify_enough(named, types->count))
		return ms_verify_refusal("map types named after key and elem", named, types->count);
	if (ms_verify_enough(tables, types->count))
		return NULL;
	if (l->maps == MS_GO_MAPS_CLASSIC)
		return ms_verify_refusal("map types with a bucket", tables, types->count);
	return ms_verify_refusal(l->experiments & MS_GO_EXP_SPLIT_GROUP
				     ? "map types with a group of control word, keys and elems"
				     : "map types with a group of control word and slots",
				 tables, types->count);
}

struct ms_error *ms_go_verify_program(struct ms_go_runtime *rt)
{
	const struct ms_types *types;
	struct ms_error *err = check_functions(rt);

	if (!err)
		err = ms_go_types(rt, &types);
	if (!err)
		err = check_map_types(types, rt->layout);
	if (!err)
		err = ms_go_described_check(types, rt->layout);
	if (!err)
		err = ms_go_verify_types(types, rt->layout);
	return err;
}

static int by_id(const void *a, const void *b)
{
	const struct ms_goroutine *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/** Goroutines whose id nobody else has; sorts them by it. */
static uint64_t count_own_ids(struct ms_goroutines *all)
{
	uint64_t own = 0;

	if (all->count)
		qsort(all->items, all->count, sizeof(*all->items), by_id);
	for (size_t i = 0; i < all->count; i++)
		own += all->items[i].id && (i == 0 || all->items[i].id != all->items[i - 1].id);
	return own;
}

static struct ms_error *judge_goroutines(struct ms_goroutines *all, bool is_cut)
{
	uint64_t entries = all->count + all->dead + all->unreadable, own = count_own_ids(all);
	uint64_t good = 0, seen = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct ms_goroutine *g = &all->items[i];

		if (g->status == MS_GO_RUNNING || g->status == MS_GO_COPYSTACK)
			continue; // What is saved of it is stale, or being moved.
		seen++;
		good += g->sp >= g->stack_lo && g->sp <= g->stack_hi;
	}
	if (is_cut && !all->count)
		return NULL; // They may all be in what is missing.
	if (!is_cut && !ms_verify_enough(entries - all->unreadable, entries))
		return ms_verify_refusal("goroutines that can be read", entries - all->unreadable,
					 entries);
	if (!all->count)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: goroutines: expected at least one that "
				    "lives, found none");
	if (!ms_verify_enough(own, all->count))
		return ms_verify_refusal("goroutines with an id of their own", own, all->count);
	if (!ms_verify_enough(good, seen))
		return ms_verify_refusal("goroutines whose stack holds their stack pointer", good,
					 seen);
	return NULL;
}

static struct ms_error *check_goroutines(struct ms_go_runtime *rt)
{
	struct ms_goroutines all;
	struct ms_error *err = ms_goroutines_load_some(rt, GOROUTINES_LOOKED_AT, &all);

	if (err)
		return err;
	err = judge_goroutines(&all, rt->target->is_cut);
	ms_goroutines_deinit(&all);
	return err;
}

struct ms_error *ms_go_verify_goroutines(struct ms_go_runtime *rt)
{
	return check_goroutines(rt);
}

struct ms_error *ms_go_verify_process(struct ms_go_runtime *rt)
{
	struct ms_error *err = ms_go_verify_spans(rt);

	return err ? err : check_goroutines(rt);
}
