// map_uses.c - see map_uses.h.
//
// The frames from the innermost outwards, as long as they are the runtime's.  Each that is map code
// is asked for its arguments: the one that is interrupted by its registers, or by its slots where
// the code has stored them; those that called on by their slots.  A function may have dropped an
// argument that it needs no more, and then the next one outwards is asked.  Two that say different
// maps are a mistake somewhere, and nothing is said.
//
// A word in a slot that was stored is an argument; still the type has to be a map type, and the
// header one that can be, because the layout of arguments is Go's own affair and may change with a
// release.
#include "goroutines/map_uses.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "golang/calls.h"
#include "golang/passed_values.h"
#include "goroutines/map_finder.h"

enum {
	RUN_FRAMES_MAX = 32, // Of the runtime on top of the program.
	HEADER_BYTES_MAX = 128,
	ITERATOR_BYTES_MAX = 256,
	FLAGS_MAX = 15,
	TABLE_LOG2_MAX = 40,
};

static struct ms_error *types_index(struct ms_map_finder *f)
{
	struct ms_error *err = ms_go_types(f->rt, &f->types);

	for (size_t i = 0; !err && i < f->types->count; i++) {
		if (!ms_number_map_find(&f->type_of, f->types->items[i].address) &&
		    !ms_number_map_add(&f->type_of, f->types->items[i].address, (uint32_t)i))
			return ms_error_no_memory();
	}
	return err;
}

struct ms_error *ms_map_finder_create(struct ms_go_runtime *rt,
				      const struct ms_census_report *census,
				      struct ms_map_finder **ret_finder)
{
	struct ms_map_finder *f = calloc(1, sizeof(*f));
	struct ms_error *err;

	if (!f)
		return ms_error_no_memory();
	f->rt = rt;
	f->census = census;
	err = ms_go_functions(rt, &f->functions);
	if (!err)
		err = types_index(f);
	if (!err)
		err = ms_code_open(rt->elf.arch, &f->code);
	if (err) {
		ms_map_finder_destroy(f);
		return err;
	}
	*ret_finder = f;
	return NULL;
}

void ms_map_finder_use_census(struct ms_map_finder *f, const struct ms_census_report *census)
{
	f->census = census;
}

void ms_map_finder_destroy(struct ms_map_finder *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->known.count; i++)
		ms_argument_places_destroy(f->known.items[i].places);
	ms_vec_free(&f->known);
	ms_number_map_deinit(&f->known_of);
	ms_number_map_deinit(&f->type_of);
	ms_code_close(f->code);
	free(f);
}

const struct ms_map_row *ms_map_finder_row(const struct ms_map_finder *f, ms_addr address)
{
	return f->census ? ms_census_row_at(f->census, address) : NULL;
}

const char *ms_map_finder_type_name(const struct ms_map_finder *f, ms_addr type,
				    struct ms_arena *arena)
{
	const uint32_t *index = type ? ms_number_map_find(&f->type_of, type) : NULL;
	const struct ms_map_type *is = index ? &f->types->items[*index] : NULL;
	const char *key, *elem;
	size_t key_size, elem_size;

	if (!is || !ms_types_name(f->types, f->rt->layout, is->key, &key, &key_size) ||
	    !ms_types_name(f->types, f->rt->layout, is->elem, &elem, &elem_size))
		return NULL;
	return ms_arena_printf(arena, "map[%.*s]%.*s", (int)key_size, key, (int)elem_size, elem);
}

// --- Functions. ---

struct ms_map_function_known *ms_map_finder_function(struct ms_map_finder *f,
						     const struct ms_function *function)
{
	const uint32_t *index = ms_number_map_find(&f->known_of, function->entry);
	struct ms_map_function_known fresh = { 0 };

	if (index)
		return &f->known.items[*index];
	fresh.is = ms_map_function_of(function->name);
	if (!ms_vec_push(&f->known, fresh) ||
	    !ms_number_map_add(&f->known_of, function->entry, (uint32_t)f->known.count - 1))
		return NULL;
	return &f->known.items[f->known.count - 1];
}

/** How many frames from the innermost on are the runtime's. */
static size_t run_frames(const struct ms_frames *frames)
{
	size_t count = 0;

	while (count < frames->count && count < RUN_FRAMES_MAX &&
	       (frames->items[count].function->flags & MS_FUNCTION_RUNTIME))
		count++;
	return count;
}

enum ms_map_role ms_map_role_of_frames(struct ms_map_finder *f, const struct ms_frames *frames)
{
	enum ms_map_role role = MS_ROLE_NONE;
	size_t run = run_frames(frames);

	for (size_t i = 0; i < run; i++) {
		const struct ms_map_function_known *k =
		    ms_map_finder_function(f, frames->items[i].function);

		if (k)
			role = ms_map_role_stronger(role, k->is.role);
	}
	return role;
}

/** The role of what is inlined into a frame of map code: growth is, in places. */
static enum ms_map_role role_of_calls(const struct ms_map_finder *f, const struct ms_frame *frame)
{
	struct ms_call calls[MS_CALLS_MAX];
	size_t count =
	    ms_function_calls(f->functions, frame->function, ms_frame_call_pc(frame), calls);
	enum ms_map_role role = MS_ROLE_NONE;

	for (size_t i = 0; i < count; i++)
		role = ms_map_role_stronger(
		    role, (enum ms_map_role)ms_map_function_of(calls[i].name).role);
	return role;
}

// --- Maps. ---

/**
 * Whether a header can be one, also in the middle of a write: what the runtime keeps true from one
 * operation to the next (maps/classic.h, maps/swiss.h) does not hold then.
 */
static bool header_may_be(const struct ms_go_layout *l, const uint8_t *raw)
{
	ms_addr table;
	unsigned flags, log2;

	if (l->maps == MS_GO_MAPS_CLASSIC) {
		table = ms_load_u64(raw + l->hmap_buckets);
		flags = raw[l->hmap_flags];
		log2 = raw[l->hmap_bucket_log2];
	} else {
		table = ms_load_u64(raw + l->map_dir_ptr);
		flags = raw[l->map_writing];
		log2 = raw[l->map_global_depth];
	}
	return !(table & 7) && table < (ms_addr)1 << 57 && flags <= FLAGS_MAX &&
	       log2 <= TABLE_LOG2_MAX;
}

struct ms_error *ms_map_finder_check(struct ms_map_finder *f, ms_addr map, ms_addr type,
				     bool *ret_is_map)
{
	const struct ms_go_layout *l = f->rt->layout;
	uint32_t size = l->maps == MS_GO_MAPS_CLASSIC ? l->hmap_size : l->map_size;
	bool type_known = type && ms_number_map_find(&f->type_of, type);
	uint8_t raw[HEADER_BYTES_MAX];
	struct ms_error *err;

	*ret_is_map = false;
	if ((type && !type_known) || !map || (map & 7) || size > sizeof(raw))
		return NULL;
	if (ms_map_finder_row(f, map)) {
		*ret_is_map = true;
		return NULL;
	}
	if (!type_known)
		return NULL;
	err = ms_target_read(f->rt->target, map, raw, size);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	if (!err)
		*ret_is_map = header_may_be(l, raw);
	return err;
}

// --- Arguments. ---

/** The stack that is looked at. */
struct looking {
	struct ms_map_finder *f;
	const struct ms_stack_image *image;
	const ms_addr *registers;
	const struct ms_frames *frames;
};

/** An argument of the function of frame @p index; 0 when the code does not have it there. */
static ms_addr argument_get(const struct looking *l, size_t index,
			    const struct ms_argument_places *places, unsigned argument)
{
	const struct ms_frame *frame = &l->frames->items[index];
	struct ms_argument_place place;
	ms_addr at = ms_argument_slot(frame->end, argument);

	if (!places || argument >= MS_ARGUMENTS)
		return 0;
	place = ms_argument_place(places, ms_frame_call_pc(frame), argument);
	if (!index && l->registers && !frame->is_return && place.registers)
		return l->registers[__builtin_ctz(place.registers)];
	if (index + 1 == l->frames->count) // Where it ends is not known.
		return 0;
	if (!place.in_slot || !ms_range_holds(l->image->sp, l->image->sp + l->image->size, at, 8))
		return 0;
	return ms_load_u64(l->image->bytes + (at - l->image->sp));
}

/** The map and type of an iterator, on the stack or wherever it is. */
static struct ms_error *iterator_read(const struct looking *l, ms_addr at, struct ms_map_use *use)
{
	const struct ms_go_layout *layout = l->f->rt->layout;
	bool classic = layout->maps == MS_GO_MAPS_CLASSIC;
	uint32_t size = classic ? layout->hiter_size : layout->iter_size;
	uint8_t raw[ITERATOR_BYTES_MAX];
	struct ms_error *err = NULL;

	if (!at || (at & 7) || size > sizeof(raw))
		return NULL;
	if (ms_range_holds(l->image->sp, l->image->sp + l->image->size, at, size))
		memcpy(raw, l->image->bytes + (at - l->image->sp), size);
	else
		err = ms_target_read(l->f->rt->target, at, raw, size);
	if (err && ms_error_code(err) == MS_ERR_FAULT) {
		ms_error_free(err);
		return NULL;
	}
	if (!err) {
		use->type = ms_load_u64(raw + (classic ? layout->hiter_type : layout->iter_type));
		use->map = ms_load_u64(raw + (classic ? layout->hiter_map : layout->iter_map));
	}
	return err;
}

/** What the arguments of one frame say. */
static struct ms_error *frame_ask(const struct looking *l, size_t index, struct ms_map_use *ret_use)
{
	const struct ms_function *function = l->frames->items[index].function;
	struct ms_map_function_known *k = ms_map_finder_function(l->f, function);
	struct ms_map_use use = { 0 };
	struct ms_error *err = NULL;
	bool is_map;

	if (!k)
		return ms_error_no_memory();
	if (k->is.role != MS_ROLE_NONE && !k->is_followed) {
		err = ms_argument_places_create(l->f->functions, function, l->f->code, &k->places);
		if (err)
			return err;
		k->is_followed = true;
	}
	use.type = argument_get(l, index, k->places, k->is.type);
	use.map = argument_get(l, index, k->places, k->is.map);
	if (k->is.iterator != MS_NO_ARGUMENT)
		err = iterator_read(l, argument_get(l, index, k->places, k->is.iterator), &use);
	if (!err)
		err = ms_map_finder_check(l->f, use.map, use.type, &is_map);
	if (!err && is_map) {
		ret_use->map = use.map;
		ret_use->type = use.type;
	}
	return err;
}

struct ms_error *ms_map_use_find(struct ms_map_finder *f, const struct ms_stack_image *image,
				 const ms_addr *registers, const struct ms_frames *frames,
				 struct ms_map_use *ret_use)
{
	const struct looking l = { f, image, registers, frames };
	struct ms_map_use use = { .role = ms_map_role_of_frames(f, frames) };
	size_t run = use.role == MS_ROLE_NONE ? 0 : run_frames(frames);
	bool differ = false;

	for (size_t i = 0; i < run; i++) {
		struct ms_map_use said = { 0 };
		struct ms_error *err = frame_ask(&l, i, &said);

		if (err)
			return err;
		use.role = ms_map_role_stronger(use.role, role_of_calls(f, &frames->items[i]));
		differ |= said.map && use.map && said.map != use.map;
		use.map = said.map ? said.map : use.map;
		use.type = said.type ? said.type : use.type;
	}
	if (differ)
		use.map = use.type = 0;
	*ret_use = use;
	return NULL;
}

// --- What the caller had. ---

/** Argument @p argument of the function of frame @p index; 0 where its caller does not tell. */
static struct ms_error *passed_get(struct ms_map_finder *f, const struct ms_frames *frames,
				   size_t index, unsigned argument, ms_addr *ret_value)
{
	unsigned reg = ms_argument_register(f->rt->elf.arch, argument);
	bool is_known;

	*ret_value = 0;
	return reg == MS_CODE_NONE ? NULL
				   : ms_passed_value(f->functions, f->code, frames, index, reg,
						     &is_known, ret_value);
}

/** Whether a frame above @p index takes an iterator on: what began it has filled it by then. */
static bool is_begun(const struct ms_frames *frames, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (ms_map_function_of(frames->items[i].function->name).iterator != MS_NO_ARGUMENT)
			return true;
	}
	return false;
}

/**
 * What the map code of frame @p index was called with.  A loop's first step may be all that knows
 * the map: the caller has it nowhere but in the iterator that it lets the step begin.
 */
static struct ms_error *passed_use(struct ms_map_finder *f, const struct ms_frames *frames,
				   size_t index, const struct ms_map_function *is,
				   struct ms_map_use *use)
{
	const struct ms_stack_image nothing = { 0 };
	const struct looking l = { .f = f, .image = &nothing };
	struct ms_map_use begun = { 0 };
	ms_addr iterator;
	struct ms_error *err;

	if (is->iterator != MS_NO_ARGUMENT) {
		err = passed_get(f, frames, index, is->iterator, &iterator);
		return err ? err : iterator_read(&l, iterator, use);
	}
	err = passed_get(f, frames, index, is->type, &use->type);
	if (!err)
		err = passed_get(f, frames, index, is->map, &use->map);
	if (err || use->map || is->begins == MS_NO_ARGUMENT || !is_begun(frames, index))
		return err;
	err = passed_get(f, frames, index, is->begins, &iterator);
	if (!err)
		err = iterator_read(&l, iterator, &begun);
	if (!err && begun.type == use->type)
		use->map = begun.map;
	return err;
}

struct ms_error *ms_map_use_of_caller(struct ms_map_finder *f, const struct ms_frames *frames,
				      struct ms_map_use *ret_use)
{
	struct ms_map_use use = { .role = ms_map_role_of_frames(f, frames) };
	struct ms_map_function is = { 0 };
	size_t index = use.role == MS_ROLE_NONE ? 0 : run_frames(frames);
	struct ms_error *err;
	bool is_map;

	while (index && is.role == MS_ROLE_NONE)
		is = ms_map_function_of(frames->items[--index].function->name);
	*ret_use = use;
	if (is.role == MS_ROLE_NONE)
		return NULL;
	err = passed_use(f, frames, index, &is, &use);
	if (!err)
		err = ms_map_finder_check(f, use.map, use.type, &is_map);
	if (err)
		return err;
	ret_use->map = is_map ? use.map : 0;
	ret_use->type = ms_number_map_find(&f->type_of, use.type) ? use.type : 0;
	return NULL;
}
