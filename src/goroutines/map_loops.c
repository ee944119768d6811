// map_loops.c - loops over maps that have not ended.
//
// A loop keeps its iterator (runtime.hiter, maps.Iter) in the frame of the function that has it:
// a word with the map's type and one with its header, at distances that the release tells.  Two
// such words may also be left over from a loop that was left by break; whether the function still
// needs them, the compiler says for each call (live_locals.h).
//
// An iterator remembers the array or the table it began with.  Where the map has another by now,
// the loop goes through what was replaced, and looks every entry up anew.
#include "base/cleanup.h"
#include "golang/live_locals.h"
#include "goroutines/map_finder.h"
#include "maps/classic.h"
#include "maps/swiss.h"

enum { BYTES_MAX = 128 };

/** Where an iterator has what, by release. */
struct fields {
	uint32_t size, type, map;
};

static struct fields fields_of(const struct ms_go_layout *l)
{
	if (l->maps == MS_GO_MAPS_CLASSIC)
		return (struct fields){ l->hiter_size, l->hiter_type, l->hiter_map };
	return (struct fields){ l->iter_size, l->iter_type, l->iter_map };
}

/** Bytes of the target; false when they cannot be read, with *ret_err when it is lost. */
static bool bytes_read(struct ms_go_runtime *rt, ms_addr at, uint8_t raw[BYTES_MAX], uint32_t size,
		       struct ms_error **ret_err)
{
	struct ms_error *err =
	    size <= BYTES_MAX ? ms_target_read(rt->target, at, raw, size)
			      : ms_error_new(MS_ERR_FAULT, "a header is over %d bytes", BYTES_MAX);

	if (err && ms_error_code(err) != MS_ERR_FAULT) {
		*ret_err = err;
		return false;
	}
	ms_error_free(err);
	return !err;
}

static bool classic_is_replaced(struct ms_go_runtime *rt, const uint8_t *iterator, ms_addr map,
				struct ms_error **ret_err)
{
	const struct ms_go_layout *l = rt->layout;
	ms_addr array = ms_load_u64(iterator + l->hiter_buckets);
	uint8_t raw[BYTES_MAX];

	return bytes_read(rt, map, raw, l->hmap_size, ret_err) && array &&
	       array != ms_load_u64(raw + l->hmap_buckets);
}

static bool swiss_is_replaced(struct ms_go_runtime *rt, const uint8_t *iterator, ms_addr map,
			      struct ms_error **ret_err)
{
	const struct ms_go_layout *l = rt->layout;
	ms_addr table = ms_load_u64(iterator + l->iter_table);
	struct ms_swiss_table parsed;
	struct ms_swiss_map m;
	uint8_t raw[BYTES_MAX];

	if (!bytes_read(rt, map, raw, l->map_size, ret_err) ||
	    ms_swiss_parse(l, raw, &m) == MS_SWISS_NOT)
		return false;
	if (m.dir_len && ((int64_t)ms_load_u64(iterator + l->iter_dir_index) < 0 ||
			  m.depth != iterator[l->iter_global_depth]))
		return true; // Was small; or its directory has doubled.
	return table && bytes_read(rt, table, raw, l->table_size, ret_err) &&
	       ms_swiss_table_parse(l, raw, &parsed) && parsed.index < 0;
}

/** Whether what stands at @p raw, in @p frame at @p at, is the iterator of an open loop. */
static struct ms_error *loop_take(struct ms_map_finder *f, const struct ms_frame *frame, ms_addr at,
				  const uint8_t *raw, struct ms_map_loop *ret_loop, bool *ret_is)
{
	struct fields i = fields_of(f->rt->layout);
	struct ms_map_loop loop = {
		.map = ms_load_u64(raw + i.map),
		.type = ms_load_u64(raw + i.type),
		.function = frame->function,
	};
	struct ms_error *err = NULL;
	bool is_map;

	*ret_is = false;
	if (!ms_number_map_find(&f->type_of, loop.type))
		return NULL;
	err = ms_map_finder_check(f, loop.map, loop.type, &is_map);
	if (err || !is_map || ms_local_is_live(f->functions, frame, at + i.map) != MS_LIVE_YES)
		return err;
	if (f->rt->layout->maps == MS_GO_MAPS_CLASSIC)
		loop.is_replaced = classic_is_replaced(f->rt, raw, loop.map, &err);
	else
		loop.is_replaced = swiss_is_replaced(f->rt, raw, loop.map, &err);
	*ret_loop = loop;
	*ret_is = true;
	return err;
}

static bool may_be_type(const struct ms_go_runtime *rt, ms_addr word)
{
	for (size_t i = 0; i < rt->module_count; i++) {
		if (word >= rt->modules[i].types && word < rt->modules[i].etypes)
			return true;
	}
	return false;
}

// --- Functions that have loops. ---

/** Whether an instruction calls a function that takes an iterator on. */
static bool calls_next(const struct ms_map_finder *f, const struct ms_insn *insn)
{
	const struct ms_function *callee = insn->kind == MS_INSN_CALL && insn->value
					       ? ms_functions_find(f->functions, insn->value)
					       : NULL;

	return callee && ms_map_function_of(callee->name).iterator != MS_NO_ARGUMENT;
}

static struct ms_error *has_loop(struct ms_map_finder *f, const struct ms_function *function,
				 bool *ret_has)
{
	MS_AUTO_FREE uint8_t *bytes = NULL;
	size_t size = (size_t)(function->end - function->entry);
	size_t least = f->rt->elf.arch == MS_ARCH_AMD64 ? 1 : 4;
	struct ms_error *err = ms_function_code(f->functions, function, &bytes);

	*ret_has = !bytes; // One that is too long may have anything.
	for (size_t at = 0; !err && bytes && at < size && !*ret_has;) {
		struct ms_insn insn;

		if (!ms_code_decode(f->code, bytes + at, size - at, function->entry + at, &insn)) {
			at += least;
			continue;
		}
		*ret_has = calls_next(f, &insn);
		at += insn.length;
	}
	return err;
}

struct ms_error *ms_map_loops_may_be(struct ms_map_finder *f, const struct ms_frames *frames,
				     bool *ret_may)
{
	*ret_may = false;
	for (size_t i = 0; i < frames->count && !*ret_may; i++) {
		const struct ms_function *function = frames->items[i].function;
		struct ms_map_function_known *k = ms_map_finder_function(f, function);

		if (!k)
			return ms_error_no_memory();
		if (!k->is_scanned) {
			struct ms_error *err = has_loop(f, function, &k->has_loop);

			if (err)
				return err;
			k->is_scanned = true;
		}
		*ret_may = k->has_loop;
	}
	return NULL;
}

// --- Iterators. ---

struct ms_error *ms_map_loops_find(struct ms_map_finder *f, const struct ms_stack_image *image,
				   const struct ms_frames *frames,
				   struct ms_map_loop ret_loops[MS_MAP_LOOPS_MAX],
				   size_t *ret_count)
{
	struct fields fields = fields_of(f->rt->layout);
	size_t count = 0;

	for (size_t i = 0; i < frames->count && count < MS_MAP_LOOPS_MAX; i++) {
		const struct ms_frame *frame = &frames->items[i];

		if (!frame->is_return || frame->end < fields.size)
			continue;
		for (ms_addr at = frame->sp; at <= frame->end - fields.size; at += 8) {
			const uint8_t *raw = image->bytes + (at - image->sp);
			struct ms_error *err;
			bool is_loop;

			if (!ms_range_holds(image->sp, image->sp + image->size, at, fields.size))
				break;
			if (!may_be_type(f->rt, ms_load_u64(raw + fields.type)))
				continue;
			err = loop_take(f, frame, at, raw, &ret_loops[count], &is_loop);
			if (err)
				return err;
			if (!is_loop)
				continue;
			ret_loops[count].frame = i;
			if (++count == MS_MAP_LOOPS_MAX)
				break;
		}
	}
	*ret_count = count;
	return NULL;
}
