// Where the fields of a bucket lie, as both engines lay them out: the truth is the code that does
// so (hmapi_shape_of, and Go's bmap), from which this is derived.
#include <hmap/hmap_layout.h>
#include <hmap/hmap_table.h>

enum { GO_SLOTS = 8, POINTER = sizeof(void *) };

static void add(struct hmap_layout *l, const char *name, const char *where, size_t offset,
		size_t size, size_t count)
{
	struct hmap_layout_field field = { name, where, offset, size, count };

	if (size && l->field_count < HMAP_LAYOUT_FIELDS_MAX)
		l->fields[l->field_count++] = field;
}

/** What lies between two fields, if anything does. */
static void pad(struct hmap_layout *l, const char *where, size_t from, size_t to, size_t times)
{
	add(l, "(padding)", where, from, to - from, 1);
	l->padding += (to - from) * times;
}

static size_t aligned(size_t at, size_t align)
{
	return (at + align - 1) / align * align;
}

static void classic(const struct hmap_type *t, struct hmap_layout *l)
{
	static const char where[] = "bucket";
	size_t key = l->key_by_reference ? POINTER : t->key_size;
	size_t value = l->value_by_reference ? POINTER : t->value_size;
	size_t key_align =
	    l->key_by_reference ? POINTER : hmapi_align_of(t->key_size, t->key_align);
	size_t value_align = l->value_by_reference ? POINTER
			     : t->value_size       ? hmapi_align_of(t->value_size, t->value_align)
						   : 1;
	size_t keys_at = aligned(GO_SLOTS, key_align);
	size_t values_at = aligned(keys_at + GO_SLOTS * key, value_align);
	size_t end = values_at + GO_SLOTS * value, link = aligned(end, POINTER);

	l->slots = GO_SLOTS;
	add(l, "tophash", where, 0, GO_SLOTS, GO_SLOTS);
	pad(l, where, GO_SLOTS, keys_at, 1);
	add(l, l->key_by_reference ? "key (pointer)" : "key", where, keys_at, GO_SLOTS * key,
	    GO_SLOTS);
	pad(l, where, keys_at + GO_SLOTS * key, values_at, 1);
	add(l, l->value_by_reference ? "elem (pointer)" : "elem", where, values_at,
	    GO_SLOTS * value, GO_SLOTS);
	pad(l, where, end, link, 1);
	add(l, "overflow", where, link, POINTER, 1);
	l->bytes = link + POINTER;
}

static void steady(const struct hmap_type *t, struct hmap_layout *l)
{
	static const char slot[] = "slot", group[] = "tags of a group";
	struct hmap_shape s = hmapi_shape_of(t);
	bool in_key = s.hash_at < s.key_size;
	size_t end = s.value_at + s.value_size;

	l->slots = HMAP_BLOCK_SLOTS;
	add(l, "tag", group, 0, HMAP_GROUP_SLOTS, HMAP_GROUP_SLOTS);
	add(l, "filter", group, HMAPI_FILTER, 1, 1);
	add(l, "count", group, HMAPI_COUNT, 1, 1);
	add(l, l->key_by_reference ? "key (pointer)" : "key", slot, 0,
	    in_key ? s.hash_at : s.key_size, 1);
	if (in_key)
		add(l, "hash", slot, s.hash_at, 4, 1);
	pad(l, slot, s.key_size, s.value_at, HMAP_BLOCK_SLOTS);
	add(l, l->value_by_reference ? "value (pointer)" : "value", slot, s.value_at, s.value_size,
	    1);
	if (s.hash_at != HMAPI_NO_HASH && !in_key) {
		pad(l, slot, end, s.hash_at, HMAP_BLOCK_SLOTS);
		add(l, "hash", slot, s.hash_at, 4, 1);
		end = s.hash_at + 4;
	}
	pad(l, slot, end, s.slot_size, HMAP_BLOCK_SLOTS);
	l->bytes = HMAP_BLOCK_GROUPS * HMAP_GROUP_BYTES + (size_t)HMAP_BLOCK_SLOTS * s.slot_size;
}

enum hmap_status hmap_layout(const struct hmap_type *t, enum hmap_engine engine,
			     struct hmap_layout *ret_layout)
{
	struct hmap_layout l = { .engine = engine };
	double load = 6.5 / 8, away;

	if (!t || !ret_layout || !t->key_size || t->key_size > INT32_MAX ||
	    t->value_size > INT32_MAX || (engine != HMAP_STEADY && engine != HMAP_CLASSIC))
		return HMAP_BAD_ARGUMENT;
	l.key_by_reference = t->key_size > HMAP_MAX_IN_PLACE && !(t->flags & HMAP_KEEP_IN_PLACE);
	l.value_by_reference =
	    t->value_size > HMAP_MAX_IN_PLACE && !(t->flags & HMAP_KEEP_IN_PLACE);
	if (engine == HMAP_CLASSIC)
		classic(t, &l);
	else
		steady(t, &l);
	away = (l.key_by_reference ? t->key_size : 0) + (l.value_by_reference ? t->value_size : 0);
	l.bytes_per_entry = (double)l.bytes / ((double)l.slots * load) + away;
	l.bytes_on_average = (double)l.bytes / ((double)l.slots * load * 0.75) + away;
	*ret_layout = l;
	return HMAP_OK;
}
