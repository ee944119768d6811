// want.c - wanted addresses, from the value that holds them down to the field.
//
// A value is taken down where it is met, with the label of its holder; which field an address lies
// in is asked of its descriptor in the end:
//
//	Registry{ name string; mu sync.RWMutex; m map[string]*T }
//	                       |--- wanted ---| ~> ".mu", a sync.RWMutex; beside it the map ".m"
//
// A lock guards, by convention, what stands below it in its struct, up to the next lock.  Where
// nothing does, and it is the only one, the map above it is meant.  This is what Go's own sources
// and most others keep to, and the page says "in the same struct", not "proved".
//
// A pointer may lead to the lock alone (&r.mu, captured by a closure).  Such a value tells less
// than the struct around it, so it only stands until that is met.
#include "walk/walk_internal.h"

#include "base/cleanup.h"
#include "golang/globals.h"
#include "golang/named_types.h"
#include "golang/struct_types.h"

enum {
	DEPTH_MAX = 16,
	PATH_BYTES_MAX = 512,
	KIND_ARRAY = 17,
	MAP_DEPTH_MAX = 4, // Of structs inside a struct that are searched for maps.
	WORD_BYTES = 8,
};

// --- Meeting. ---

static bool is_sync(const struct ms_struct_type *type)
{
	static const char *const packages[] = { "sync", "internal/sync" };

	for (size_t i = 0; i < MS_ARRAY_SIZE(packages); i++) {
		if (type->package && type->package_size == strlen(packages[i]) &&
		    !memcmp(type->package, packages[i], type->package_size))
			return true;
	}
	return false;
}

/** How much a value of this type tells of what lies in it. */
enum telling {
	TELLS_NOTHING, // The runtime's own: a channel's head, who waits.
	TELLS_LOCK,    // A lock and no more: whose it is, the struct around it would know better.
	TELLS_ALL,
};

static enum telling telling_of(const struct ms_walk *w, ms_plan_id id)
{
	struct ms_struct_type type;

	if (!ms_struct_type_read(w->types, w->layout, ms_plans_at(&w->plans, id)->address, &type))
		return TELLS_ALL;
	if (type.package && type.package_size == 7 && !memcmp(type.package, "runtime", 7))
		return TELLS_NOTHING;
	return is_sync(&type) ? TELLS_LOCK : TELLS_ALL;
}

/** The first want at or behind @p address. */
static size_t want_from(const struct ms_walk *w, ms_addr address)
{
	size_t low = 0, high = w->options->want_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (w->options->wants[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_in_data(const struct ms_walk *w, ms_addr address)
{
	for (size_t i = 0; i < w->rt->module_count; i++) {
		const struct ms_go_module *m = &w->rt->modules[i];

		if ((address >= m->noptrdata && address < m->enoptrbss) ||
		    (address >= m->data && address < m->ebss))
			return true;
	}
	return false;
}

/** The end of what may be one row of values from @p address on. */
static ms_addr extent_end(const struct ms_walk *w, ms_addr address, uint64_t bytes, uint64_t count)
{
	const struct ms_span *s = ms_spans_find(&w->spans, address);
	ms_addr most = UINT64_MAX;

	if (s && s->state == MS_SPAN_IN_USE && s->elem_bytes && address >= s->start)
		most =
		    s->start + ((address - s->start) / s->elem_bytes + 1) * s->elem_bytes - address;
	else if (ms_walk_hole_end(w, address))
		most = ms_walk_hole_end(w, address) - address;
	else if (!is_in_data(w, address))
		return address;
	if (count > most / bytes)
		count = most / bytes;
	return count > (UINT64_MAX - address) / bytes ? address : address + count * bytes;
}

void ms_walk_want_values(struct ms_walk *w, ms_addr address, ms_plan_id type, uint64_t count,
			 ms_label label, uint32_t root, bool is_rooted)
{
	size_t i = want_from(w, address);
	uint64_t bytes;
	ms_addr end;
	enum telling telling;

	if (i == w->options->want_count || !type)
		return;
	bytes = ms_plans_at(&w->plans, type)->bytes;
	end = bytes ? extent_end(w, address, bytes, count) : 0;
	if (w->options->wants[i].address >= end)
		return;
	telling = telling_of(w, type);
	if (telling == TELLS_NOTHING)
		return;
	for (; i < w->options->want_count && w->options->wants[i].address < end; i++) {
		struct ms_walk_wanted *found = &w->wanted[i];
		ms_addr want = w->options->wants[i].address;

		// What seems to have a channel's head inside is taken for what it is not.
		if (w->options->wants[i].is_channel || found->is_settled ||
		    (found->type && telling == TELLS_LOCK))
			continue;
		*found = (struct ms_walk_wanted){ .value = want - (want - address) % bytes,
						  .type = type,
						  .label = label,
						  .root = root & 0xffffff,
						  .is_rooted = is_rooted,
						  .is_settled = telling == TELLS_ALL };
		w->wanted_left -= found->is_settled;
	}
}

/** The runtime's own tables lead to every goroutine, and from there to everything. */
static bool is_runtimes(const struct ms_walk *w, uint32_t root)
{
	const char *name = root < w->roots.count ? w->roots.items[root] : NULL;

	return name && (!strncmp(name, "runtime.", 8) || strstr(name, "(runtime."));
}

void ms_walk_want_object(struct ms_walk *w, ms_addr address, uint64_t bytes, bool is_channel,
			 ms_label label, uint32_t root)
{
	size_t first = want_from(w, address);

	if (!is_channel && is_runtimes(w, root))
		return;
	for (size_t i = first;
	     i < w->options->want_count && w->options->wants[i].address - address < bytes; i++) {
		struct ms_walk_wanted *found = &w->wanted[i];

		if (found->is_settled || found->type || (found->value && !is_channel))
			continue;
		*found = (struct ms_walk_wanted){ .value = address,
						  .label = label,
						  .root = root & 0xffffff,
						  .is_settled = is_channel };
		w->wanted_left -= is_channel;
	}
}

void ms_walk_want_settle(struct ms_walk *w)
{
	for (size_t i = 0; i < w->options->want_count; i++) {
		if (w->wanted[i].is_settled || !is_in_data(w, w->options->wants[i].address))
			continue;
		w->wanted[i].is_settled = true;
		w->wanted_left--;
	}
}

// --- Down to the field. ---

/** A struct on the way down. */
struct level {
	struct ms_struct_type type;
	ms_addr address; // Of its value.
};

struct descent {
	const struct ms_walk *w;
	ms_addr want;
	struct level levels[DEPTH_MAX];
	size_t count;
	char path[PATH_BYTES_MAX];
	size_t path_size;
	bool is_quiet; // Inside of a map's table: that has no names of its own.
	ms_addr named; // Where the path began anew: a descriptor, or 0 ...
	ms_addr lock;
	const char *lock_type; // Of the type of package sync, in the types' memory.
	size_t lock_type_size;
};

static void path_add(struct descent *d, const char *text, size_t size)
{
	if (d->is_quiet || size >= sizeof(d->path) - d->path_size)
		return;
	memcpy(d->path + d->path_size, text, size);
	d->path_size += size;
}

static uint8_t kind_of(const struct ms_walk *w, ms_addr type)
{
	const uint8_t *raw = ms_types_bytes(w->types, type, w->layout->type_size);

	return raw && !(type & 7) ? raw[w->layout->type_kind] & MS_KIND_MASK : 0;
}

/** The element of the array at @p at that holds the address. */
static bool into_array(struct descent *d, ms_addr *type, ms_addr *at)
{
	const struct ms_go_layout *l = d->w->layout;
	const uint8_t *raw = ms_types_bytes(d->w->types, *type + l->arraytype_elem, WORD_BYTES);
	ms_addr elem = raw ? ms_load_u64(raw) : 0;
	uint64_t bytes;

	if (!elem || !ms_type_bytes(d->w->types, l, elem, &bytes) || !bytes)
		return false;
	if (d->path_size < 2 || memcmp(d->path + d->path_size - 2, "[]", 2) != 0)
		path_add(d, "[]", 2);
	*at = d->want - (d->want - *at) % bytes;
	*type = elem;
	return true;
}

/** The field of the struct at @p at that holds the address. */
static bool into_struct(struct descent *d, const struct ms_struct_type *s, ms_addr *type,
			ms_addr *at)
{
	for (uint64_t i = 0; i < s->field_count; i++) {
		struct ms_struct_member m;
		uint64_t bytes;

		if (!ms_struct_type_member(d->w->types, d->w->layout, s, i, &m) ||
		    !ms_type_bytes(d->w->types, d->w->layout, m.type, &bytes) ||
		    !ms_range_holds(*at + m.offset, *at + m.offset + bytes, d->want, 1))
			continue;
		path_add(d, ".", 1);
		path_add(d, m.name, m.name_size);
		*type = m.type;
		*at += m.offset;
		return true;
	}
	return false;
}

static bool is_table_type(const struct ms_struct_type *s)
{
	return memmem(s->name, s->name_size, "map.bucket[", 11) ||
	       memmem(s->name, s->name_size, "map.group[", 10);
}

/** From a value of @p type at @p at down to what is no struct or array, or is a lock. */
static void descend(struct descent *d, ms_addr type, ms_addr at)
{
	unsigned in_table = 0; // Steps left inside of a map's table.

	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		struct ms_struct_type s;

		if (kind_of(d->w, type) == KIND_ARRAY) {
			if (!into_array(d, &type, &at))
				return;
			continue;
		}
		if (!ms_struct_type_read(d->w->types, d->w->layout, type, &s))
			return;
		if (is_sync(&s)) {
			d->lock = at;
			d->lock_type = s.name;
			d->lock_type_size = s.name_size;
			return;
		}
		if (is_table_type(&s)) {
			d->is_quiet = true;
			in_table = 2; // The table's own field, and that of a slot.
		} else if (d->is_quiet && (!in_table || memchr(s.name, '.', s.name_size))) {
			d->is_quiet = false; // A key or elem: a value of its own.
			d->named = type;
		}
		in_table -= in_table > 0;
		d->levels[d->count++] = (struct level){ s, at };
		if (!into_struct(d, &s, &type, &at))
			return;
	}
}

// --- The map beside a lock. ---

struct beside {
	const struct ms_walk *w;
	ms_addr lock;
	ms_addr next_lock; // Behind it, in the same struct; UINT64_MAX: none.
	unsigned locks;
	ms_addr below, above; // The nearest maps; 0: none.
	uint32_t below_count, above_count;
};

static bool is_mutex(const struct ms_walk *w, ms_addr type)
{
	struct ms_struct_type s;

	return ms_struct_type_read(w->types, w->layout, type, &s) && is_sync(&s) &&
	       ((s.name_size == 10 && !memcmp(s.name, "sync.Mutex", 10)) ||
		(s.name_size == 12 && !memcmp(s.name, "sync.RWMutex", 12)));
}

static bool has_mutex(const struct ms_walk *w, const struct ms_struct_type *s, unsigned depth)
{
	for (uint64_t i = 0; i < s->field_count; i++) {
		struct ms_struct_member m;
		struct ms_struct_type inner;

		if (!ms_struct_type_member(w->types, w->layout, s, i, &m))
			continue;
		if (is_mutex(w, m.type) ||
		    (depth < MAP_DEPTH_MAX &&
		     ms_struct_type_read(w->types, w->layout, m.type, &inner) &&
		     has_mutex(w, &inner, depth + 1)))
			return true;
	}
	return false;
}

static void meet_lock(struct beside *b, ms_addr place)
{
	b->locks++;
	if (place > b->lock && place < b->next_lock)
		b->next_lock = place;
}

static void meet_map(struct beside *b, ms_addr place)
{
	if (place < b->lock) {
		b->above = place; // They come in the order of addresses.
		b->above_count++;
	} else if (place < b->next_lock) {
		b->below = b->below ? b->below : place;
		b->below_count++;
	}
}

/** A struct inside that has a lock guards what is in it by itself. */
static void look_beside(struct beside *b, const struct ms_struct_type *s, ms_addr at,
			bool want_maps, unsigned depth)
{
	for (uint64_t i = 0; i < s->field_count; i++) {
		struct ms_struct_member m;
		struct ms_struct_type inner;
		ms_addr place;

		if (!ms_struct_type_member(b->w->types, b->w->layout, s, i, &m))
			continue;
		place = at + m.offset;
		if (is_mutex(b->w, m.type)) {
			if (!want_maps)
				meet_lock(b, place);
		} else if (kind_of(b->w, m.type) == MS_KIND_MAP) {
			if (want_maps)
				meet_map(b, place);
		} else if (ms_struct_type_read(b->w->types, b->w->layout, m.type, &inner) &&
			   !is_sync(&inner)) {
			if (has_mutex(b->w, &inner, 0)) {
				if (!want_maps &&
				    !ms_range_holds(place, place + inner.bytes, b->lock, 1))
					meet_lock(b, place);
			} else if (depth < MAP_DEPTH_MAX) {
				look_beside(b, &inner, place, want_maps, depth + 1);
			}
		}
	}
}

/** The innermost struct with the lock and a map that it may guard. */
static bool find_beside(const struct descent *d, struct beside *ret_beside, ms_addr *ret_value)
{
	for (size_t i = d->count; i-- > 0;) {
		const struct level *level = &d->levels[i];
		struct beside b = { .w = d->w, .lock = d->lock, .next_lock = UINT64_MAX };

		if (is_table_type(&level->type))
			return false;
		look_beside(&b, &level->type, level->address, false, 0);
		look_beside(&b, &level->type, level->address, true, 0);
		if (b.below || (b.above && b.locks <= 1)) {
			*ret_beside = b;
			*ret_value = level->address;
			return true;
		}
		// A struct around a lock and nothing else is a lock; any other is a thing of its
		// own, and what stands around it is not its matter.
		if (level->type.field_count > 1)
			return false;
	}
	return false;
}

// --- Into the report. ---

/** What the field at @p address of the value that was met is called. */
static ms_label label_of_field(struct ms_walk *w, const struct ms_walk_wanted *found,
			       ms_addr address, struct descent *d)
{
	ms_plan_id id = found->type;
	const struct ms_plan *plan;
	ms_label_text path;

	*d = (struct descent){ .w = w, .want = address };
	descend(d, ms_plans_at(&w->plans, id)->address, found->value);
	if (d->named)
		id = ms_plans_get(&w->plans, d->named);
	plan = ms_plans_at(&w->plans, id);
	path = d->path_size ? ms_labels_text(&w->labels, d->path, d->path_size) : 0;
	if (!path || plan->labels == MS_LABELS_HOLDERS)
		return found->label;
	if ((found->is_rooted && !d->named) || plan->labels == MS_LABELS_ON)
		return ms_label_extend(&w->labels, found->label, path);
	return ms_label_field(&w->labels, plan->name, path);
}

static struct ms_error *text_write(struct ms_walk *w, ms_label label, uint32_t root,
				   const char **ret_name, const char **ret_owner)
{
	const char *root_name = root < w->roots.count ? w->roots.items[root] : NULL;

	if (!label)
		return NULL;
	*ret_owner = ms_label_write(&w->labels, label, root_name, &w->report->arena);
	if (ret_name)
		*ret_name = ms_label_write(&w->labels, label, NULL, &w->report->arena);
	return *ret_owner && (!ret_name || *ret_name) ? NULL : ms_error_no_memory();
}

/** Of all that package sync has these are what guards something. */
static bool guards(const char *type)
{
	return !strcmp(type, "sync.Mutex") || !strcmp(type, "sync.RWMutex");
}

/** Where the path goes up: ".inner.mu" to ".inner". */
static size_t parent_size(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? (size_t)(dot - path) : 0;
}

/**
 * The map behind a lock of a variable whose struct the program does not describe: debug information
 * lists its parts, in the order in which they lie.
 */
static struct ms_error *beside_by_names(struct ms_walk *w, const struct ms_walk_wanted *found,
					struct ms_walk_want *want)
{
	const struct ms_go_globals *g;
	struct ms_error *err = ms_go_globals_load(w->rt, &g);
	const struct ms_go_typed *lock = NULL;

	for (size_t i = 0; i < (err ? 0 : g->typed.count); i++) {
		const struct ms_go_typed *t = &g->typed.items[i];
		ms_plan_id type;
		size_t parent;

		if (!lock && t->address == found->value && t->shape == MS_GO_TYPED_VALUE) {
			lock = t;
			continue;
		}
		if (!lock)
			continue;
		parent = parent_size(lock->path);
		type = t->shape == MS_GO_TYPED_VALUE ? ms_plans_get(&w->plans, t->type) : 0;
		if (strcmp(t->variable, lock->variable) != 0 || t->address <= lock->address ||
		    parent_size(t->path) != parent || memcmp(t->path, lock->path, parent) != 0 ||
		    (type && is_mutex(w, t->type)))
			return err;
		if (t->shape != MS_GO_TYPED_MAP &&
		    (!type || ms_plans_at(&w->plans, type)->kind != MS_KIND_MAP))
			continue;
		want->maps++;
		if (want->map_word)
			continue;
		want->map_word = t->address;
		want->map_owner = ms_arena_printf(&w->report->arena, "%s%s", t->variable, t->path);
		if (!want->map_owner)
			return ms_error_no_memory();
	}
	return err;
}

static struct ms_error *typed_annotate(struct ms_walk *w, const struct ms_walk_wanted *found,
				       struct ms_walk_want *want)
{
	MS_AUTO_FREE struct descent *d = malloc(sizeof(*d));
	struct beside beside;
	struct ms_error *err;
	ms_label label;

	if (!d)
		return ms_error_no_memory();
	label = label_of_field(w, found, want->address, d);
	want->is_typed = true;
	want->lock = d->lock;
	want->holder = d->count ? d->levels[d->count - 1].address : d->lock;
	if (d->lock)
		want->lock_type =
		    ms_arena_strndup(&w->report->arena, d->lock_type, d->lock_type_size);
	if (d->lock && !want->lock_type)
		return ms_error_no_memory();
	err = text_write(w, label, found->root, &want->name, &want->owner);
	if (err || !d->lock || !guards(want->lock_type))
		return err;
	if (found->is_rooted && !d->count)
		return beside_by_names(w, found, want);
	if (!find_beside(d, &beside, &want->holder))
		return NULL;
	want->map_word = beside.below ? beside.below : beside.above;
	want->maps = beside.below ? beside.below_count : beside.above_count;
	label = label_of_field(w, found, want->map_word, d);
	return text_write(w, label, found->root, NULL, &want->map_owner);
}

/** Where the object of the heap that holds @p address begins for its owner; 0: in none. */
static ms_addr object_start(const struct ms_walk *w, ms_addr address)
{
	const struct ms_span *s = ms_spans_find(&w->spans, address);

	if (!s || s->state != MS_SPAN_IN_USE || !s->elem_bytes || address < s->start)
		return 0;
	return address - (address - s->start) % s->elem_bytes + ms_span_header_bytes(w->layout, s);
}

/**
 * An object of which no word says the type: where a method locks it, its receiver's type may say
 * what it is, if such a value begins where the object does, fills it, and has a lock right there.
 */
static struct ms_error *guess_by_user(struct ms_walk *w, const struct ms_named_types *named,
				      const struct ms_walk_want *want, struct ms_walk_wanted *found)
{
	MS_AUTO_FREE struct descent *d = malloc(sizeof(*d));
	const struct ms_span *s = ms_spans_find(&w->spans, found->value);
	ms_addr type = want->user ? ms_named_types_receiver(named, want->user) : 0;
	unsigned class = s ? s->span_class / 2 : 0;
	uint64_t bytes;

	if (!d)
		return ms_error_no_memory();
	if (!type || !s || !class || !ms_type_bytes(w->types, w->layout, type, &bytes) ||
	    bytes > s->elem_bytes || bytes + WORD_BYTES <= w->smaller[class])
		return NULL;
	*d = (struct descent){ .w = w, .want = want->address };
	descend(d, type, found->value);
	if (d->lock)
		found->type = ms_plans_get(&w->plans, type);
	return NULL;
}

/** A variable has a name even where nothing is known of its type. */
static struct ms_error *variable_annotate(struct ms_walk *w, struct ms_walk_want *want)
{
	ms_label label;
	uint32_t root = ms_walk_name_variable(w, want->address, &label);
	struct ms_error *err = text_write(w, label, root, &want->name, &want->owner);

	// "near" some other variable is where it lies, and no name.
	if (!err && want->name && !strncmp(want->name, "near ", 5))
		want->name = want->owner = NULL;
	return err;
}

static struct ms_error *annotate(struct ms_walk *w, const struct ms_named_types *named,
				 struct ms_walk_wanted *found, struct ms_walk_want *want)
{
	bool is_channel = found->is_settled && found->value == want->address && !found->type;
	struct ms_error *err = NULL;

	*want = (struct ms_walk_want){ .address = want->address,
				       .user = want->user,
				       .is_channel = want->is_channel };
	want->is_global = is_in_data(w, want->address);
	if (!found->value)
		found->value = object_start(w, want->address);
	if (!found->type && found->value && !is_channel && !want->is_channel)
		err = guess_by_user(w, named, want, found);
	if (err)
		return err;
	if (found->type)
		return typed_annotate(w, found, want);
	if (want->is_global)
		return variable_annotate(w, want);
	want->is_typed = is_channel;
	want->holder = found->value;
	return text_write(w, found->label, found->root, is_channel ? &want->name : NULL,
			  &want->owner);
}

struct ms_error *ms_walk_want_annotate(struct ms_walk *w)
{
	struct ms_named_types *named = NULL;
	struct ms_error *err = NULL;

	if (!w->options->want_count)
		return NULL;
	err = ms_named_types_create(w->types, w->layout, &named);
	for (size_t i = 0; i < w->options->want_count && !err; i++)
		err = annotate(w, named, &w->wanted[i], &w->options->wants[i]);
	ms_named_types_destroy(named);
	return err;
}
