// plan.c - descriptors taken apart.
//
// Most of what a walk needs is in the descriptors themselves.  A few structs of the standard
// library hide a type behind unsafe.Pointer; these are known by package and name:
//
//	sync/atomic.Pointer[T]   the blank field of type [0]*T says what the pointer leads to
//	sync.Map (<= 1.23)       entry.p leads to an interface{}
//	sync.Map (>= 1.24)       internal/sync.HashTrieMap: nodes say themselves what they are
//	unique (>= 1.25)         unique.canonMap: the same with nodes of its own
//	sync.Pool                local is an array of poolLocal, localSize long
//	sync.eface               an interface in two words (poolDequeue's slots)
//
// What they hold belongs to whoever holds them: their own names are left out of labels.
#include "walk/plan.h"

#include "base/hash.h"
#include "base/vec.h"
#include "golang/struct_types.h"

enum {
	PLANS_MAX = 1 << 20,
	OPS_MAX = 8 << 20,     // Of all plans.
	OPS_OF_ONE_MAX = 8192, // Of one type.
	FIELDS_MAX = 4096,
	DEPTH_MAX = 16,      // Of structs and arrays inside each other.
	PARTS_MAX = 1 << 18, // Values inside one, at any depth, pointers or not.
	PARTS_OF_ALL_MAX = 64 << 20,
	NAMED_MAX = 1 << 16,
	PATH_BYTES_MAX = 512,
	NAME_BYTES_MAX = 512,
	KIND_UINTPTR = 12,
	KIND_ARRAY = 17,
	KIND_CHAN = 18,
	KIND_FUNC = 19,
	KIND_INTERFACE = 20,
	KIND_POINTER = 22,
	KIND_SLICE = 23,
	KIND_STRING = 24,
	KIND_UNSAFE_POINTER = 26,
	WORD_BYTES = 8,
	SLICE_BYTES = 24,
};

static const uint64_t TYPE_BYTES_MAX = (uint64_t)1 << 40;

/** A value being taken apart. */
struct ms_plan_build {
	struct ms_plans *plans;
	struct ms_op ops[OPS_OF_ONE_MAX];
	size_t count;
	unsigned parts; // That were looked at.
	char path[PATH_BYTES_MAX];
	bool failed; // More of it than the bounds allow: no plan is better than half a one.
};

/** Where in the value the build is. */
struct place {
	uint64_t offset;
	uint32_t repeat, stride;
	size_t path; // Bytes of build.path that lead here.
	bool whole;  // The path does not go on: insides of sync.Map and the like.
	unsigned depth;
};

static const uint8_t *bytes_at(const struct ms_plans *p, ms_addr address, uint64_t size)
{
	return address & 7 ? NULL : ms_types_bytes(p->types, address, size);
}

static ms_addr word_at(const struct ms_plans *p, ms_addr address)
{
	const uint8_t *raw = bytes_at(p, address, WORD_BYTES);

	return raw ? ms_load_u64(raw) : 0;
}

// --- Names. ---

/** Package path and name of a struct, without what generics put in brackets. */
struct names {
	const char *package;
	size_t package_size;
	const char *name; // Behind the package: "Pointer[".
	size_t name_size; // Up to the bracket.
	const char *whole;
	size_t whole_size;
};

static uint8_t kind_of(const struct ms_plans *p, ms_addr address)
{
	const uint8_t *raw = bytes_at(p, address, p->layout->type_size);

	return raw ? raw[p->layout->type_kind] & MS_KIND_MASK : 0;
}

static bool names_read(const struct ms_plans *p, ms_addr address, struct names *ret_names)
{
	struct ms_struct_type type;
	const char *bracket, *dot;
	struct names n;

	if (!ms_struct_type_read(p->types, p->layout, address, &type) || !type.package)
		return false;
	bracket = memchr(type.name, '[', type.name_size);
	n.whole = type.name;
	n.whole_size = type.name_size;
	n.name_size = bracket ? (size_t)(bracket - type.name) : type.name_size;
	dot = memchr(type.name, '.', n.name_size);
	if (!dot)
		return false;
	n.name = dot + 1;
	n.name_size -= (size_t)(n.name - type.name);
	n.package = type.package;
	n.package_size = type.package_size;
	*ret_names = n;
	return true;
}

static bool is_called(const struct names *n, const char *package, const char *name)
{
	return n->package_size == strlen(package) &&
	       !memcmp(n->package, package, n->package_size) && n->name_size == strlen(name) &&
	       !memcmp(n->name, name, n->name_size);
}

static int by_hash(const void *a, const void *b)
{
	const struct ms_named_type *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

static bool is_package(const struct ms_struct_type *type, const char *package)
{
	return type->package && type->package_size == strlen(package) &&
	       !memcmp(type->package, package, type->package_size);
}

/** Take down every struct of the packages whose insides are looked up by name. */
static bool named_collect(struct ms_plans *p)
{
	struct ms_struct_scan scan = { 0 };
	struct ms_struct_type type;

	while (ms_struct_types_next(p->types, p->layout, &scan, &type)) {
		if (!is_package(&type, "sync") && !is_package(&type, "internal/sync") &&
		    !is_package(&type, "unique"))
			continue;
		if (p->named.count == NAMED_MAX) {
			p->cut = true;
			break;
		}
		if (!ms_vec_push(&p->named,
				 { type.address, ms_hash_text(type.name, type.name_size) }))
			return false;
	}
	if (p->named.count)
		qsort(p->named.items, p->named.count, sizeof(*p->named.items), by_hash);
	return true;
}

/** The struct called @p name, or 0. */
static ms_addr named_find(const struct ms_plans *p, const char *name, size_t size)
{
	uint64_t hash = ms_hash_text(name, size);
	size_t low = 0, high = p->named.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->named.items[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->named.count && p->named.items[low].hash == hash
		   ? p->named.items[low].address
		   : 0;
}

/** "sync.entry[K,V]" from "sync.node[K,V]". */
static ms_addr named_sibling(const struct ms_plans *p, const struct names *n, const char *name)
{
	char text[NAME_BYTES_MAX];
	size_t prefix = (size_t)(n->name - n->whole), size = strlen(name);
	size_t rest = n->whole_size - prefix - n->name_size;

	if (prefix + size + rest > sizeof(text))
		return 0;
	memcpy(text, n->whole, prefix);
	memcpy(text + prefix, name, size);
	memcpy(text + prefix + size, n->name + n->name_size, rest);
	return named_find(p, text, prefix + size + rest);
}

// --- Ops. ---

static void op_add(struct ms_plan_build *b, const struct place *at, enum ms_op_kind kind,
		   ms_plan_id type)
{
	struct ms_op *op;

	if (b->count == OPS_OF_ONE_MAX || at->offset > UINT32_MAX) {
		b->failed = true;
		return;
	}
	op = &b->ops[b->count++];
	*op = (struct ms_op){ .offset = (uint32_t)at->offset,
			      .repeat = at->repeat,
			      .stride = at->stride,
			      .type = type,
			      .path = ms_labels_text(b->plans->labels, b->path, at->path),
			      .kind = (uint8_t)kind };
}

static void take_apart(struct ms_plan_build *b, ms_addr address, struct place at);

static struct place place_inside(struct ms_plan_build *b, struct place at, uint64_t offset,
				 const char *name, size_t size)
{
	at.offset += offset;
	at.depth++;
	if (!at.whole && size && size + 1 < sizeof(b->path) - at.path) {
		b->path[at.path++] = '.';
		memcpy(b->path + at.path, name, size);
		at.path += size;
	}
	return at;
}

static bool field_read(const struct ms_plans *p, const struct ms_struct_type *type, uint64_t i,
		       struct ms_struct_member *ret_field)
{
	return ms_struct_type_member(p->types, p->layout, type, i, ret_field) &&
	       ret_field->offset <= type->bytes;
}

static bool field_find(const struct ms_plans *p, const struct ms_struct_type *type,
		       const char *name, struct ms_struct_member *ret_field)
{
	for (uint64_t i = 0; i < type->field_count && i < FIELDS_MAX; i++) {
		if (field_read(p, type, i, ret_field) && ret_field->name_size == strlen(name) &&
		    !memcmp(ret_field->name, name, ret_field->name_size))
			return true;
	}
	return false;
}

/** sync/atomic.Pointer[T]: T from the field "_ [0]*T". */
static bool take_atomic_pointer(struct ms_plan_build *b, const struct ms_struct_type *type,
				struct place at)
{
	struct ms_plans *p = b->plans;
	struct ms_struct_member field, pointer;
	ms_addr target = 0;

	if (!field_find(p, type, "v", &pointer))
		return false;
	for (uint64_t i = 0; i < type->field_count && !target; i++) {
		if (field_read(p, type, i, &field) && kind_of(p, field.type) == KIND_ARRAY)
			target = word_at(p, field.type + p->layout->arraytype_elem);
	}
	if (kind_of(p, target) != KIND_POINTER)
		return false;
	at.offset += pointer.offset;
	target = word_at(p, target + p->layout->ptrtype_elem);
	op_add(b, &at, MS_OP_POINTER, ms_plans_get(p, target));
	return true;
}

/** A field of which it is known what its unsafe.Pointer leads to. */
static bool take_known(struct ms_plan_build *b, const struct ms_struct_type *type, struct place at,
		       const char *name, enum ms_op_kind kind, ms_plan_id leads_to)
{
	struct ms_struct_member field;

	if (!leads_to || !field_find(b->plans, type, name, &field))
		return false;
	at.offset += field.offset;
	op_add(b, &at, kind, leads_to);
	return true;
}

static bool take_trie(struct ms_plan_build *b, const struct names *n,
		      const struct ms_struct_type *type, struct place at)
{
	struct ms_struct_member root;
	ms_addr branch = named_sibling(b->plans, n, "indirect");

	if (!branch || !field_find(b->plans, type, "root", &root))
		return false;
	at.offset += root.offset;
	op_add(b, &at, MS_OP_TRIE, ms_plans_get(b->plans, branch));
	if (!b->failed)
		b->ops[b->count - 1].back = (uint32_t)root.offset;
	return true;
}

/** Structs that hide what they hold.  False for all others. */
static bool take_special(struct ms_plan_build *b, const struct ms_struct_type *type,
			 struct place at)
{
	struct ms_plans *p = b->plans;
	struct names n;

	if (!names_read(p, type->address, &n))
		return false;
	if (is_called(&n, "sync/atomic", "Pointer"))
		return take_atomic_pointer(b, type, at);
	if (is_called(&n, "internal/sync", "HashTrieMap") || is_called(&n, "unique", "canonMap"))
		return take_trie(b, &n, type, at);
	if (is_called(&n, "sync", "entry") && kind_of(p, type->address) == MS_KIND_STRUCT) {
		struct ms_struct_member field;

		// From 1.20 on p is an atomic.Pointer[any], which says so itself.
		return field_find(p, type, "p", &field) &&
		       kind_of(p, field.type) == KIND_UNSAFE_POINTER &&
		       take_known(b, type, at, "p", MS_OP_POINTER, p->any);
	}
	if (is_called(&n, "sync", "eface")) {
		op_add(b, &at, MS_OP_EFACE, 0);
		return true;
	}
	if (is_called(&n, "sync", "Pool")) {
		ms_addr local = named_find(p, "sync.poolLocal", strlen("sync.poolLocal"));

		if (local)
			take_known(b, type, at, "victim", MS_OP_POOL, ms_plans_get(p, local));
		return take_known(b, type, at, "local", MS_OP_POOL, ms_plans_get(p, local));
	}
	return false;
}

/** Structs of both packages that have tries are called the same. */
static bool is_of_trie(const struct names *n, const char *name)
{
	return is_called(n, "internal/sync", name) || is_called(n, "unique", name);
}

static bool is_inside_of_sync(const struct names *n)
{
	static const char *const sync[] = { "Map",       "readOnly",     "entry",
					    "Pool",      "poolLocal",    "poolLocalInternal",
					    "poolChain", "poolChainElt", "poolDequeue",
					    "eface",     "mapState" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(sync); i++) {
		if (is_called(n, "sync", sync[i]))
			return true;
	}
	return is_called(n, "sync/atomic", "Pointer") || is_called(n, "sync/atomic", "Value") ||
	       is_called(n, "unique", "canonMap") || is_called(n, "unique", "indirect") ||
	       is_called(n, "unique", "entry") ||
	       (n->package_size == strlen("internal/sync") &&
		!memcmp(n->package, "internal/sync", n->package_size));
}

/** A struct whose own fields say nothing to a reader. */
static bool is_inside(const struct ms_plans *p, const struct ms_struct_type *type)
{
	struct names n;

	return names_read(p, type->address, &n) && is_inside_of_sync(&n);
}

/** What a closure captured: behind its function's address, in a struct without a name. */
static bool is_closure(const struct ms_plans *p, const struct ms_struct_type *type)
{
	struct ms_struct_member first;

	return field_read(p, type, 0, &first) && first.name_size == 1 && first.name[0] == 'F' &&
	       !first.offset && kind_of(p, first.type) == KIND_UINTPTR;
}

/** The compiler's own names: X0, X1, ... for what was captured, R for a method's receiver. */
static bool is_made_up(const struct ms_struct_member *f)
{
	if (f->name_size == 1 && f->name[0] == 'R')
		return true;
	return f->name_size > 1 && f->name[0] == 'X' && f->name[1] >= '0' && f->name[1] <= '9';
}

static void take_struct(struct ms_plan_build *b, ms_addr address, struct place at)
{
	struct ms_struct_type type;
	bool closure;

	if (!ms_struct_type_read(b->plans->types, b->plans->layout, address, &type))
		return; // No fields, or nothing that can be read.
	if (take_special(b, &type, at))
		return;
	at.whole |= is_inside(b->plans, &type);
	closure = !at.depth && is_closure(b->plans, &type);
	for (uint64_t i = 0; i < type.field_count && !b->failed; i++) {
		struct ms_struct_member field;

		if (!field_read(b->plans, &type, i, &field))
			continue;
		if (i && closure && is_made_up(&field)) {
			struct place value = at;

			value.offset += field.offset;
			op_add(b, &value, MS_OP_VALUE, ms_plans_get(b->plans, field.type));
			continue;
		}
		take_apart(b, field.type,
			   place_inside(b, at, field.offset, field.name, field.name_size));
	}
}

/** An array: its elements' ops, repeated; what is an array in an array is written out. */
static void take_array(struct ms_plan_build *b, ms_addr address, const uint8_t *raw,
		       struct place at)
{
	const struct ms_plans *p = b->plans;
	ms_addr elem = word_at(p, address + p->layout->arraytype_elem);
	uint64_t count = word_at(p, address + p->layout->arraytype_len);
	uint64_t bytes = ms_load_u64(raw + p->layout->type_bytes), stride;

	if (!count || !bytes || count > bytes)
		return;
	stride = bytes / count;
	at.depth++;
	if (!at.whole && at.path + 2 < sizeof(b->path) &&
	    !(at.path >= 2 && !memcmp(b->path + at.path - 2, "[]", 2))) {
		memcpy(b->path + at.path, "[]", 2);
		at.path += 2;
	}
	if (at.repeat == 1 && count <= UINT32_MAX && stride <= UINT32_MAX) {
		at.repeat = (uint32_t)count;
		at.stride = (uint32_t)stride;
		take_apart(b, elem, at);
		return;
	}
	for (uint64_t i = 0; i < count && !b->failed; i++) {
		size_t before = b->count;

		take_apart(b, elem, at);
		if (b->count == before)
			return; // Nothing in there.
		at.offset += stride;
	}
}

static void take_apart(struct ms_plan_build *b, ms_addr address, struct place at)
{
	struct ms_plans *p = b->plans;
	const struct ms_go_layout *l = p->layout;
	const uint8_t *raw = bytes_at(p, address, l->type_size);

	if (!raw || at.depth > DEPTH_MAX || b->parts++ == PARTS_MAX) {
		b->failed = true;
		return;
	}
	if (!ms_load_u64(raw + l->type_ptrdata))
		return;
	switch (raw[l->type_kind] & MS_KIND_MASK) {
	case KIND_ARRAY:
		take_array(b, address, raw, at);
		return;
	case MS_KIND_STRUCT:
		take_struct(b, address, at);
		return;
	case KIND_POINTER:
		op_add(b, &at, MS_OP_POINTER,
		       ms_plans_get(p, word_at(p, address + l->ptrtype_elem)));
		return;
	case KIND_SLICE:
		op_add(b, &at, MS_OP_SLICE,
		       ms_plans_get(p, word_at(p, address + l->slicetype_elem)));
		return;
	case KIND_STRING:
		op_add(b, &at, MS_OP_STRING, 0);
		return;
	case KIND_INTERFACE:
		op_add(b, &at,
		       word_at(p, address + l->interfacetype_methods + 8) ? MS_OP_IFACE
									  : MS_OP_EFACE,
		       0);
		return;
	case MS_KIND_MAP:
		op_add(b, &at, MS_OP_MAP, ms_plans_get(p, address));
		return;
	case KIND_CHAN:
		op_add(b, &at, MS_OP_CHAN, ms_plans_get(p, word_at(p, address + l->chantype_elem)));
		return;
	case KIND_FUNC:
		op_add(b, &at, MS_OP_FUNC, 0);
		return;
	case KIND_UNSAFE_POINTER:
		op_add(b, &at, MS_OP_UNTYPED, 0);
		return;
	default:
		return;
	}
}

// --- Plans. ---

/** Whether an interface keeps the value in its own word (cmd/compile's IsDirectIface). */
static bool is_direct(const struct ms_plans *p, ms_addr address, unsigned depth)
{
	const struct ms_go_layout *l = p->layout;
	struct ms_struct_type type;
	struct ms_struct_member field;

	switch (kind_of(p, address)) {
	case KIND_POINTER:
	case MS_KIND_MAP:
	case KIND_CHAN:
	case KIND_FUNC:
	case KIND_UNSAFE_POINTER:
		return true;
	case KIND_ARRAY:
		return depth < DEPTH_MAX && word_at(p, address + l->arraytype_len) == 1 &&
		       is_direct(p, word_at(p, address + l->arraytype_elem), depth + 1);
	case MS_KIND_STRUCT:
		return depth < DEPTH_MAX && ms_struct_type_read(p->types, l, address, &type) &&
		       type.field_count == 1 && field_read(p, &type, 0, &field) &&
		       is_direct(p, field.type, depth + 1);
	default:
		return false;
	}
}

static bool is_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return size > 0;
}

static enum ms_plan_labels labels_of(const struct ms_plans *p, ms_addr address, const char *name,
				     size_t size)
{
	struct names n;

	if (memmem(name, size, "map.bucket[", 11) || memmem(name, size, "map.group[", 10))
		return MS_LABELS_HOLDERS;
	if (kind_of(p, address) != MS_KIND_STRUCT || !memchr(name, '.', size) ||
	    (size > 7 && !memcmp(name, "struct ", 7)) || (size > 6 && !memcmp(name, "noalg.", 6)))
		return MS_LABELS_ON;
	if (names_read(p, address, &n) && is_inside_of_sync(&n))
		return MS_LABELS_HOLDERS;
	return MS_LABELS_OWN;
}

/** A plan without its ops; false when no type can be described at @p address. */
static bool plan_read(struct ms_plans *p, ms_addr address, struct ms_plan *ret_plan)
{
	const struct ms_go_layout *l = p->layout;
	const uint8_t *raw = bytes_at(p, address, l->type_size);
	struct ms_plan plan = { .address = address };
	const char *name;
	size_t size;

	if (!raw)
		return false;
	plan.kind = raw[l->type_kind] & MS_KIND_MASK;
	plan.bytes = ms_load_u64(raw + l->type_bytes);
	plan.pointer_bytes = ms_load_u64(raw + l->type_ptrdata);
	if (!plan.kind || plan.kind > MS_KIND_MAX || plan.bytes > TYPE_BYTES_MAX ||
	    plan.pointer_bytes > plan.bytes || (plan.pointer_bytes & 7) ||
	    !ms_types_name(p->types, l, address, &name, &size) || !is_printable(name, size))
		return false;
	plan.name = ms_labels_text(p->labels, name, size);
	plan.labels = (uint8_t)labels_of(p, address, name, size);
	plan.is_direct = is_direct(p, address, 0);
	*ret_plan = plan;
	return true;
}

ms_plan_id ms_plans_get(struct ms_plans *p, ms_addr address)
{
	const uint32_t *known = ms_number_map_find(&p->by_address, address);
	ms_plan_id id = (ms_plan_id)p->count;
	struct ms_plan plan;

	if (known)
		return *known;
	if (!address || (address & 7))
		return 0;
	if (p->by_address.count >= PLANS_MAX) {
		p->cut = true;
		return 0;
	}
	if (!plan_read(p, address, &plan))
		id = 0;
	else if (!ms_vec_push(p, plan))
		p->out_of_memory = true;
	if (p->out_of_memory || !ms_number_map_add(&p->by_address, address, id)) {
		p->out_of_memory = true;
		return 0;
	}
	return id;
}

static bool is_table(const struct ms_plans *p, const struct ms_plan *plan)
{
	const char *name;
	size_t size;

	return plan->kind == MS_KIND_STRUCT &&
	       ms_types_name(p->types, p->layout, plan->address, &name, &size) &&
	       (memmem(name, size, "map.bucket[", 11) || memmem(name, size, "map.group[", 10));
}

/** Keys or elems in a row: values of their own, which belong to the map's holder. */
static void take_slots(struct ms_plan_build *b, ms_addr type, uint64_t offset, uint64_t repeat,
		       uint64_t stride)
{
	struct place at = { .offset = offset };

	if (repeat > UINT32_MAX || stride > UINT32_MAX) {
		b->failed = true;
		return;
	}
	at.repeat = (uint32_t)repeat;
	at.stride = (uint32_t)stride;
	op_add(b, &at, MS_OP_VALUE, ms_plans_get(b->plans, type));
}

/**
 * A bucket or group: tags or control word, keys, elems, the next bucket.  Slots hold key and elem
 * together, but for split groups and buckets.
 */
static void take_table(struct ms_plan_build *b, ms_plan_id id)
{
	struct ms_plans *p = b->plans;
	const struct ms_go_layout *l = p->layout;
	uint64_t bytes = p->items[id].bytes;
	struct ms_struct_type table, slot;

	if (!ms_struct_type_read(p->types, l, p->items[id].address, &table))
		return;
	for (uint64_t i = 0; i < table.field_count && !b->failed; i++) {
		struct ms_struct_member f, inner;
		uint64_t count, size;
		ms_addr elem;

		if (!field_read(p, &table, i, &f))
			continue;
		if (kind_of(p, f.type) == KIND_UNSAFE_POINTER && f.offset + WORD_BYTES == bytes) {
			struct place at = { .offset = f.offset, .repeat = 1 };

			op_add(b, &at, MS_OP_POINTER, id);
		}
		if (kind_of(p, f.type) != KIND_ARRAY)
			continue;
		elem = word_at(p, f.type + l->arraytype_elem);
		count = word_at(p, f.type + l->arraytype_len);
		if (!ms_type_bytes(p->types, l, elem, &size) || count > bytes)
			continue;
		if (f.name_size != 5 || memcmp(f.name, "slots", 5) != 0) {
			take_slots(b, elem, f.offset, count, size);
			continue;
		}
		if (!ms_struct_type_read(p->types, l, elem, &slot))
			continue;
		for (uint64_t k = 0; k < slot.field_count && k < 2; k++) {
			if (field_read(p, &slot, k, &inner))
				take_slots(b, inner.type, f.offset + inner.offset, count, size);
		}
	}
}

static void make_map(struct ms_plans *p, ms_plan_id id)
{
	const struct ms_go_layout *l = p->layout;
	ms_addr address = p->items[id].address;
	uint32_t table = l->maps == MS_GO_MAPS_CLASSIC ? l->maptype_bucket : l->maptype_group;
	ms_plan_id key = ms_plans_get(p, word_at(p, address + l->maptype_key));
	ms_plan_id elem = ms_plans_get(p, word_at(p, address + l->maptype_elem));
	ms_plan_id table_plan = ms_plans_get(p, word_at(p, address + table));

	p->items[id].key = key;
	p->items[id].elem = elem;
	p->items[id].table = word_at(p, address + table);
	p->items[id].table_plan = table_plan;
}

/** The ops of the field called @p name lead to nodes of a trie whose branches are @p branch. */
static void mark_nodes(struct ms_plans *p, const struct ms_struct_type *type, const char *name,
		       ms_plan_id branch, struct ms_plan_build *b)
{
	struct ms_struct_member field;
	uint64_t bytes;

	if (!field_find(p, type, name, &field) ||
	    !ms_type_bytes(p->types, p->layout, field.type, &bytes))
		return;
	for (size_t i = 0; i < b->count; i++) {
		struct ms_op *op = &b->ops[i];

		if ((op->kind != MS_OP_POINTER && op->kind != MS_OP_UNTYPED) ||
		    !ms_range_holds(field.offset, field.offset + bytes, op->offset, WORD_BYTES))
			continue;
		op->kind = MS_OP_TRIE_NODE;
		op->type = branch;
	}
}

/**
 * Pointers to nodes of a trie lead to something larger than a node, whatever their type says: in
 * generic code that is a struct without a name.
 */
static void mark_trie_nodes(struct ms_plans *p, ms_plan_id id, struct ms_plan_build *b)
{
	struct ms_struct_type type;
	ms_plan_id branch, entry;
	bool is_branch;
	struct names n;

	if (p->items[id].kind != MS_KIND_STRUCT || !names_read(p, p->items[id].address, &n) ||
	    !ms_struct_type_read(p->types, p->layout, p->items[id].address, &type))
		return;
	is_branch = is_of_trie(&n, "indirect");
	if (!is_branch && !is_of_trie(&n, "entry"))
		return;
	branch = is_branch ? id : ms_plans_get(p, named_sibling(p, &n, "indirect"));
	entry = is_branch ? ms_plans_get(p, named_sibling(p, &n, "entry")) : id;
	if (entry)
		p->items[entry].is_trie_entry = true;
	if (!branch)
		return;
	p->items[branch].is_trie_branch = true;
	p->items[branch].entry = entry;
	mark_nodes(p, &type, is_branch ? "children" : "overflow", branch, b);
}

static bool ops_keep(struct ms_plans *p, ms_plan_id id, const struct ms_plan_build *b)
{
	if (!ms_vec_reserve_raw((void **)&p->ops, &p->op_capacity, p->op_count + b->count,
				sizeof(*p->ops)))
		return false;
	memcpy(p->ops + p->op_count, b->ops, b->count * sizeof(*b->ops));
	p->items[id].first_op = (uint32_t)p->op_count;
	p->items[id].op_count = (uint32_t)b->count;
	p->op_count += b->count;
	return true;
}

static void plan_make(struct ms_plans *p, ms_plan_id id)
{
	struct ms_plan_build *b = p->build;
	struct place start = { .repeat = 1 };

	p->items[id].is_ready = true;
	b->plans = p;
	b->count = 0;
	b->parts = 0;
	b->failed = p->parts > PARTS_OF_ALL_MAX;
	p->items[id].is_table = is_table(p, &p->items[id]);
	if (p->items[id].is_table)
		take_table(b, id);
	else if (!b->failed)
		take_apart(b, p->items[id].address, start);
	mark_trie_nodes(p, id, b);
	if (p->items[id].kind == MS_KIND_MAP)
		make_map(p, id);
	p->parts += b->parts;
	b->failed |= p->op_count + b->count > OPS_MAX;
	p->cut |= b->failed;
	if (!b->failed && b->count && !ops_keep(p, id, b))
		p->out_of_memory = true;
}

const struct ms_plan *ms_plans_ready(struct ms_plans *p, ms_plan_id id)
{
	if (!p->items[id].is_ready)
		plan_make(p, id);
	return &p->items[id];
}

void ms_plans_sync_map(struct ms_plans *p, struct ms_plan_sync_map *ret_map)
{
	static const char trie[] = "sync.HashTrieMap[interface {},interface {}]";
	static const char branch[] = "sync.indirect[interface {},interface {}]";
	struct ms_struct_member root, hash, equal;
	struct ms_struct_type type;

	*ret_map = (struct ms_plan_sync_map){ 0 };
	if (!ms_struct_type_read(p->types, p->layout, named_find(p, trie, sizeof(trie) - 1),
				 &type) ||
	    !field_find(p, &type, "root", &root) || !field_find(p, &type, "keyHash", &hash) ||
	    !field_find(p, &type, "valEqual", &equal))
		return;
	ret_map->branch = ms_plans_get(p, named_find(p, branch, sizeof(branch) - 1));
	ret_map->bytes = type.bytes;
	ret_map->root = root.offset;
	ret_map->hash = hash.offset;
	ret_map->equal = equal.offset;
}

/** interface{} is needed where no descriptor of it may be. */
static bool any_make(struct ms_plans *p)
{
	struct ms_op op = { .repeat = 1, .kind = MS_OP_EFACE };
	struct ms_plan plan = { .bytes = 16,
				.pointer_bytes = 16,
				.op_count = 1,
				.kind = KIND_INTERFACE,
				.is_ready = true };

	plan.name = ms_labels_text(p->labels, "interface {}", strlen("interface {}"));
	if (!ms_vec_reserve_raw((void **)&p->ops, &p->op_capacity, 1, sizeof(op)) ||
	    !ms_vec_push(p, plan))
		return false;
	p->ops[p->op_count++] = op;
	p->any = (ms_plan_id)(p->count - 1);
	return true;
}

struct ms_error *ms_plans_init(const struct ms_types *types, const struct ms_go_layout *layout,
			       struct ms_labels *labels, struct ms_plans *ret_plans)
{
	struct ms_plans p = { .types = types, .layout = layout, .labels = labels };

	p.build = malloc(sizeof(*p.build));
	if (!p.build || !ms_vec_push(&p, { .is_ready = true }) || !any_make(&p) ||
	    !named_collect(&p)) {
		ms_plans_deinit(&p);
		return ms_error_no_memory();
	}
	*ret_plans = p;
	return NULL;
}

void ms_plans_deinit(struct ms_plans *p)
{
	free(p->items);
	free(p->ops);
	ms_number_map_deinit(&p->by_address);
	free(p->named.items);
	free(p->build);
	*p = (struct ms_plans){ 0 };
}
