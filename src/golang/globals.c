// globals.c - one pass over the top-level entries of the Go units of an executable's DWARF.
//
// The Go linker describes a variable in the unit of its package, by name, address and type.  The
// type's shape (global_shapes.h) is walked with a path in hand: each map found becomes a slot, the
// address of a word and the path that leads there.  A pointer becomes a word to be read first.
//
// Variables that the compiler makes ("main..stmp_1") are passed over: whatever they hold is held
// by a variable with a name, too.
#include "golang/globals.h"

#include "base/cleanup.h"
#include "base/number_map.h"
#include "base/vec.h"
#include "golang/dwarf_file.h"
#include "golang/global_shapes.h"

#include <dwarf.h>
#include <stdio.h>

enum {
	ENTRIES_MAX = 8 << 20, // Top-level entries; a 100 MB binary has under 300,000.
	SLOTS_MAX = 1 << 17,
	ELEMENTS_MAX = 4096, // Of one array.
	PATH_BYTES_MAX = 1024,
	TYPED_MAX = 1 << 19,
	TYPED_DEPTH_MAX = 16,
	TYPED_PARTS_MAX = 1 << 18,        // Types that are looked at for one variable.
	TYPED_PARTS_OF_ALL_MAX = 1 << 22, // A hostile file can have many such variables.
	STATICS_MAX = 8, // Pointers to what is laid out among the variables, one behind the other.
	TYPEDEFS_MAX = 16,
	AT_GO_KIND = 0x2900,
	AT_GO_KEY = 0x2901,
	AT_GO_ELEM = 0x2902,
	AT_GO_RUNTIME_TYPE = 0x2904,
	KIND_MAP = 21,
	KIND_SLICE = 23,
	KIND_STRUCT = 25,
};

static const uint64_t ARRAY_BYTES_MAX = (uint64_t)1 << 40; // No variable is that large.

/** A walk over one variable: the way from it to where the walk is. */
struct walk {
	struct ms_go_globals *globals;
	ms_addr types; // Descriptors count from here.
	uint32_t pointer;
	const char *star; // "*" behind a pointer to a map itself.
	bool cut;
	char path[PATH_BYTES_MAX];
};

static struct ms_error *walk_shape(struct walk *w, const struct ms_go_shape *s, ms_addr at,
				   size_t len);

/** Write behind the first @p len bytes of the path; false when it grows too long. */
static bool path_add(struct walk *w, size_t *len, const char *fmt, ...) MS_PRINTF(3, 4);

static bool path_add(struct walk *w, size_t *len, const char *fmt, ...)
{
	size_t room = sizeof(w->path) - *len;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(w->path + *len, room, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room) {
		w->cut = true;
		return false;
	}
	*len += (size_t)n;
	return true;
}

static ms_addr descriptor(const struct walk *w, uint64_t offset)
{
	return offset ? w->types + offset : 0;
}

static struct ms_error *walk_map(struct walk *w, const struct ms_go_shape *s, ms_addr at,
				 size_t len)
{
	struct ms_go_slot slot = { at, descriptor(w, s->key), descriptor(w, s->elem), w->pointer,
				   NULL };

	if (w->globals->slots.count >= SLOTS_MAX) {
		w->cut = true;
		return NULL;
	}
	slot.owner = ms_arena_printf(&w->globals->arena, "%s%.*s", w->star, (int)len, w->path);
	if (!slot.owner || !ms_vec_push(&w->globals->slots, slot))
		return ms_error_no_memory();
	return NULL;
}

static struct ms_error *walk_pointer(struct walk *w, const struct ms_go_shape *s, ms_addr at,
				     size_t len)
{
	struct ms_error *err;

	if (w->globals->pointers.count >= SLOTS_MAX) {
		w->cut = true;
		return NULL;
	}
	w->pointer = (uint32_t)w->globals->pointers.count;
	if (!ms_vec_push(&w->globals->pointers, at))
		return ms_error_no_memory();
	w->star = s->inner->kind == MS_GO_SHAPE_MAP ? "*" : "";
	err = walk_shape(w, s->inner, 0, len);
	w->pointer = MS_GO_NO_POINTER;
	w->star = "";
	return err;
}

static struct ms_error *walk_struct(struct walk *w, const struct ms_go_shape *s, ms_addr at,
				    size_t len)
{
	struct ms_error *err = NULL;

	for (const struct ms_go_shape_field *f = s->fields; f && !err; f = f->next) {
		size_t field_len = len;

		if (path_add(w, &field_len, ".%s", f->name))
			err = walk_shape(w, f->shape, at + f->offset, field_len);
	}
	return err;
}

static struct ms_error *walk_array(struct walk *w, const struct ms_go_shape *s, ms_addr at,
				   size_t len)
{
	struct ms_error *err = NULL;

	w->cut |= s->count > ELEMENTS_MAX;
	for (unsigned i = 0; i < s->count && i < ELEMENTS_MAX && !err; i++) {
		size_t element_len = len;

		if (path_add(w, &element_len, "[%u]", i))
			err = walk_shape(w, s->inner, at + i * s->inner->bytes, element_len);
	}
	return err;
}

static struct ms_error *walk_shape(struct walk *w, const struct ms_go_shape *s, ms_addr at,
				   size_t len)
{
	switch (s->kind) {
	case MS_GO_SHAPE_MAP:
		return walk_map(w, s, at, len);
	case MS_GO_SHAPE_POINTER:
		return walk_pointer(w, s, at, len);
	case MS_GO_SHAPE_STRUCT:
		return walk_struct(w, s, at, len);
	case MS_GO_SHAPE_ARRAY:
		return walk_array(w, s, at, len);
	case MS_GO_SHAPE_NOTHING:
		break;
	}
	return NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** The variable's name in source words: a dot in a path's last part is written %2e by Go. */
static bool path_start(struct walk *w, const char *name, size_t *ret_len)
{
	size_t len = 0;

	for (; *name && len + 1 < sizeof(w->path); name++) {
		int high = *name == '%' ? hex_digit(name[1]) : -1;
		int low = high >= 0 ? hex_digit(name[2]) : -1;

		w->path[len++] = low >= 0 ? (char)(high * 16 + low) : *name;
		name += low >= 0 ? 2 : 0;
	}
	w->path[len] = 0;
	*ret_len = len;
	return !*name && !strstr(w->path, "..");
}

// --- Places whose type the program describes. ---

/** A search through one variable for them. */
struct typed_search {
	struct ms_go_globals *globals;
	ms_addr types;
	const char *variable;
	unsigned parts;
	struct ms_go_runtime *rt;
	unsigned statics;            // Such pointers that were followed to where the search is.
	struct ms_number_map behind; // Where they led, each once: they may be a web.
	bool cut, out_of_memory;
	char path[PATH_BYTES_MAX];
};

static void typed_search(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len,
			 unsigned depth);

static bool follow(Dwarf_Die *die, unsigned name, Dwarf_Die *ret_die)
{
	Dwarf_Attribute attr;

	return dwarf_attr(die, name, &attr) && dwarf_formref_die(&attr, ret_die);
}

/** Where the type's descriptor is, counted from the start of the types; 0 when there is none. */
static uint64_t described_at(Dwarf_Die *type)
{
	Dwarf_Die at = *type;

	// A named struct is a typedef of the struct, which alone says where it is described.
	for (unsigned i = 0; i < TYPEDEFS_MAX; i++) {
		Dwarf_Attribute attr;
		Dwarf_Addr offset;

		if (dwarf_attr(&at, AT_GO_RUNTIME_TYPE, &attr))
			return dwarf_formaddr(&attr, &offset) == 0 ? offset : 0;
		if (dwarf_tag(&at) != DW_TAG_typedef || !follow(&at, DW_AT_type, &at))
			return 0;
	}
	return 0;
}

static void typed_put(struct typed_search *s, struct ms_go_typed typed, size_t len)
{
	if (s->globals->typed.count >= TYPED_MAX) {
		s->cut = true;
		return;
	}
	if (len)
		typed.path = ms_arena_strndup(&s->globals->arena, s->path, len);
	if (!typed.path || !ms_vec_push(&s->globals->typed, typed))
		s->out_of_memory = true;
}

static void typed_add(struct typed_search *s, ms_addr at, uint64_t descriptor_at,
		      enum ms_go_typed_shape shape, size_t len)
{
	struct ms_go_typed typed = { at, s->types + descriptor_at, 0, shape, s->variable, "" };

	typed_put(s, typed, len);
}

/** A map of which the program describes keys and elems, but not itself. */
static void typed_map(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len)
{
	struct ms_go_typed typed = { at, 0, 0, MS_GO_TYPED_MAP, s->variable, "" };
	Dwarf_Die key, elem;

	if (!follow(type, AT_GO_KEY, &key) || !follow(type, AT_GO_ELEM, &elem) ||
	    !described_at(&key) || !described_at(&elem))
		return;
	typed.type = s->types + described_at(&key);
	typed.elem = s->types + described_at(&elem);
	typed_put(s, typed, len);
}

static size_t typed_path(struct typed_search *s, size_t len, const char *more, const char *name)
{
	int n = snprintf(s->path + len, sizeof(s->path) - len, "%s%s", more, name);

	return n < 0 || (size_t)n >= sizeof(s->path) - len ? len : len + (size_t)n;
}

static void typed_struct(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len,
			 unsigned depth)
{
	Dwarf_Die member, member_type;
	unsigned count = 0;
	uint64_t offset;
	int more;

	for (more = dwarf_child(type, &member); more == 0 && count++ < ELEMENTS_MAX;
	     more = dwarf_siblingof(&member, &member)) {
		const char *name = dwarf_diename(&member);

		if (dwarf_tag(&member) == DW_TAG_member && name &&
		    follow(&member, DW_AT_type, &member_type) &&
		    ms_dwarf_number_of(&member, DW_AT_data_member_location, &offset) &&
		    offset <= ARRAY_BYTES_MAX)
			typed_search(s, &member_type, at + offset, typed_path(s, len, ".", name),
				     depth + 1);
	}
}

static void typed_array(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len,
			unsigned depth)
{
	Dwarf_Die elem, range;
	uint64_t bytes, count;

	if (!ms_dwarf_number_of(type, DW_AT_byte_size, &bytes) || bytes > ARRAY_BYTES_MAX ||
	    dwarf_child(type, &range) != 0 || !ms_dwarf_number_of(&range, DW_AT_count, &count) ||
	    !count || count > bytes || !follow(type, DW_AT_type, &elem))
		return;
	if (len < 2 || memcmp(s->path + len - 2, "[]", 2) != 0)
		len = typed_path(s, len, "[]", "");
	for (uint64_t i = 0; i < count && i < ELEMENTS_MAX; i++) {
		size_t before = s->globals->typed.count;

		typed_search(s, &elem, at + i * (bytes / count), len, depth + 1);
		if (s->globals->typed.count == before)
			return; // Nothing of interest in any of them.
	}
	s->cut |= count > ELEMENTS_MAX;
}

/** sync/atomic.Pointer[T]: what v leads to is said by the type of the field "_", [0]*T. */
static bool typed_atomic(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len)
{
	static const char prefix[] = "sync/atomic.Pointer[";
	const char *name = dwarf_diename(type);
	Dwarf_Die blank, pointer, value, v;
	uint64_t offset;

	if (!name || strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
	    !ms_dwarf_find_member(type, "_", 1, &blank) ||
	    !ms_dwarf_find_member(type, "v", 1, &v) ||
	    !ms_dwarf_number_of(&v, DW_AT_data_member_location, &offset) ||
	    !ms_dwarf_type_of(&blank, &pointer) || dwarf_tag(&pointer) != DW_TAG_array_type ||
	    !follow(&pointer, DW_AT_type, &pointer) || !follow(&pointer, DW_AT_type, &value) ||
	    !described_at(&value))
		return false;
	typed_add(s, at + offset, described_at(&value), MS_GO_TYPED_POINTER, len);
	return true;
}

/**
 * A pointer to what the program does not describe: var x = &T{...} makes a T that the linker lays
 * out among the variables, and needs no descriptor for.
 */
static void typed_static(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len,
			 unsigned depth)
{
	uint8_t word[8];
	bool is_static = false;
	struct ms_error *err;
	ms_addr pointee;

	if (s->statics == STATICS_MAX)
		return;
	err = ms_target_read(s->rt->target, at, word, sizeof(word));
	if (err) {
		ms_error_free(err);
		return;
	}
	pointee = ms_load_u64(word);
	for (size_t i = 0; i < s->rt->module_count; i++) {
		const struct ms_go_module *m = &s->rt->modules[i];

		is_static |= (pointee >= m->data && pointee < m->edata) ||
			     (pointee >= m->bss && pointee < m->ebss);
	}
	if (!is_static || ms_number_map_find(&s->behind, pointee))
		return;
	if (!ms_number_map_add(&s->behind, pointee, 0)) {
		s->out_of_memory = true;
		return;
	}
	s->statics++;
	typed_search(s, type, pointee, len, depth + 1);
	s->statics--;
}

/** A type that the program does not describe itself: its parts may be. */
static void typed_parts(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len,
			unsigned depth)
{
	uint64_t kind;
	Dwarf_Die inner;

	if (!ms_dwarf_number_of(type, AT_GO_KIND, &kind))
		kind = 0;
	switch (dwarf_tag(type)) {
	case DW_TAG_structure_type:
		if (kind == KIND_STRUCT && !typed_atomic(s, type, at, len))
			typed_struct(s, type, at, len, depth);
		else if (kind == KIND_SLICE && follow(type, AT_GO_ELEM, &inner) &&
			 described_at(&inner))
			typed_add(s, at, described_at(&inner), MS_GO_TYPED_SLICE, len);
		return;
	case DW_TAG_array_type:
		typed_array(s, type, at, len, depth);
		return;
	case DW_TAG_pointer_type:
		if (!follow(type, DW_AT_type, &inner))
			return;
		if (described_at(&inner))
			typed_add(s, at, described_at(&inner), MS_GO_TYPED_POINTER, len);
		else
			typed_static(s, &inner, at, len, depth);
		return;
	case DW_TAG_typedef:
		if (kind == KIND_MAP)
			typed_map(s, type, at, len);
		else if (!kind && follow(type, DW_AT_type, &inner))
			typed_search(s, &inner, at, len, depth + 1);
		return;
	default:
		return;
	}
}

static void typed_search(struct typed_search *s, Dwarf_Die *type, ms_addr at, size_t len,
			 unsigned depth)
{
	uint64_t descriptor_at;

	if (s->parts == TYPED_PARTS_MAX || s->globals->parts == TYPED_PARTS_OF_ALL_MAX) {
		s->cut = true;
		return;
	}
	s->parts++; // Those that lie too deep, too: they are the most.
	s->globals->parts++;
	if (depth > TYPED_DEPTH_MAX || s->out_of_memory || dwarf_tag(type) == DW_TAG_base_type)
		return;
	descriptor_at = described_at(type);
	if (descriptor_at)
		typed_add(s, at, descriptor_at, MS_GO_TYPED_VALUE, len);
	else
		typed_parts(s, type, at, len, depth);
}

struct load {
	struct ms_go_runtime *rt;
	struct ms_go_globals *globals;
	ms_addr bias, types;
	struct ms_go_shapes shapes;
	size_t entries;
};

static struct ms_error *visit_typed(struct load *l, Dwarf_Die *type, ms_addr at, const char *name,
				    size_t name_size, bool *ret_cut)
{
	struct typed_search s = { .globals = l->globals, .types = l->types, .rt = l->rt };

	s.variable = ms_arena_strndup(&l->globals->arena, name, name_size);
	if (!s.variable)
		return ms_error_no_memory();
	typed_search(&s, type, at, 0, 0);
	ms_number_map_deinit(&s.behind);
	*ret_cut = s.cut;
	return s.out_of_memory ? ms_error_no_memory() : NULL;
}

static struct ms_error *visit_variable(struct load *l, Dwarf_Die *die)
{
	struct walk w = {
		.globals = l->globals, .types = l->types, .pointer = MS_GO_NO_POINTER, .star = ""
	};
	const char *name = dwarf_diename(die);
	const struct ms_go_shape *shape;
	struct ms_error *err;
	Dwarf_Attribute attr;
	Dwarf_Die type;
	uint64_t address;
	size_t len;

	if (!name || !dwarf_attr(die, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &type))
		return NULL;
	l->globals->variables++;
	shape = ms_go_shapes_of(&l->shapes, &type, MS_GO_REACH_POINTER);
	if (!ms_dwarf_address_of(die, &address) || !path_start(&w, name, &len))
		return NULL;
	err = visit_typed(l, &type, address + l->bias, w.path, len, &w.cut);
	if (err || !shape) {
		l->globals->left_out += w.cut;
		return err;
	}
	err = walk_shape(&w, shape, address + l->bias, len);
	l->globals->left_out += w.cut;
	return err;
}

static struct ms_error *visit_unit(struct load *l, Dwarf_Die *unit)
{
	Dwarf_Die die;
	int more = dwarf_child(unit, &die);

	for (; more == 0; more = dwarf_siblingof(&die, &die)) {
		struct ms_error *err = NULL;

		if (++l->entries > ENTRIES_MAX)
			l->shapes.cut = true;
		else if (dwarf_tag(&die) == DW_TAG_variable)
			err = visit_variable(l, &die);
		if (!err && l->shapes.out_of_memory)
			err = ms_error_no_memory();
		if (err || l->shapes.cut)
			return err;
	}
	l->globals->refused |= more < 0;
	return NULL;
}

static struct ms_error *visit_units(struct load *l, Dwarf *dwarf)
{
	Dwarf_Off at = 0, next;
	size_t header;
	int more;

	while ((more = dwarf_nextcu(dwarf, at, &next, &header, NULL, NULL, NULL)) == 0) {
		struct ms_error *err = NULL;
		Dwarf_Die unit;

		if (next <= at)
			break;
		if (!dwarf_offdie(dwarf, at + header, &unit))
			l->globals->refused = true;
		else if (dwarf_srclang(&unit) == DW_LANG_Go)
			err = visit_unit(l, &unit);
		if (err || l->shapes.cut)
			return err;
		at = next;
	}
	l->globals->refused |= more != 1;
	return NULL;
}

static int slot_compare(const void *a, const void *b)
{
	const struct ms_go_slot *x = a, *y = b;
	bool x_behind = x->pointer != MS_GO_NO_POINTER, y_behind = y->pointer != MS_GO_NO_POINTER;

	if (x_behind != y_behind)
		return x_behind ? 1 : -1;
	return strcmp(x->owner, y->owner);
}

/**
 * Whether the file has the bytes of its debug information: a recording keeps the section headers,
 * and holes for what nobody read.
 */
static bool file_has_dwarf(struct ms_go_runtime *rt)
{
	static const char *const names[] = { ".debug_info", ".zdebug_info" };
	struct ms_elf_section s;
	off_t hole;

	for (size_t i = 0; rt->elf.has_dwarf && i < MS_ARRAY_SIZE(names); i++) {
		if (!ms_elf_section_find(rt->target, names[i], &s) || !s.bytes)
			continue;
		hole = lseek(ms_target_exe_fd(rt->target), (off_t)s.offset, SEEK_HOLE);
		return hole < 0 || (uint64_t)hole >= s.offset + s.bytes;
	}
	return false;
}

static struct ms_error *read_file(struct ms_go_runtime *rt, struct ms_go_globals *globals)
{
	MS_CLEANUP(ms_dwarf_file_close) struct ms_dwarf_file file = { 0 };
	struct load l = { .rt = rt, .globals = globals, .bias = rt->elf.bias };
	struct ms_error *err = ms_dwarf_file_open(ms_target_exe_fd(rt->target), &file);

	if (err && ms_error_code(err) == MS_ERR_NO_MEMORY)
		return err;
	if (err) {
		ms_error_free(err); // No owners, then; the census itself rests on other evidence.
		globals->refused = true;
		return NULL;
	}
	l.types = rt->module_count ? rt->modules[0].types : 0;
	err = visit_units(&l, file.dwarf);
	globals->refused |= l.shapes.cut;
	ms_go_shapes_deinit(&l.shapes);
	if (!err && globals->slots.count)
		qsort(globals->slots.items, globals->slots.count, sizeof(*globals->slots.items),
		      slot_compare);
	return err;
}

struct ms_error *ms_go_globals_load(struct ms_go_runtime *rt,
				    const struct ms_go_globals **ret_globals)
{
	if (!rt->globals) {
		struct ms_go_globals *globals = calloc(1, sizeof(*globals));
		struct ms_error *err;

		if (!globals)
			return ms_error_no_memory();
		err = file_has_dwarf(rt) ? read_file(rt, globals) : NULL;
		if (err) {
			ms_go_globals_destroy(globals);
			return err;
		}
		rt->globals = globals;
	}
	*ret_globals = rt->globals;
	return NULL;
}

void ms_go_globals_destroy(struct ms_go_globals *globals)
{
	if (!globals)
		return;
	ms_vec_free(&globals->typed);
	ms_vec_free(&globals->slots);
	ms_vec_free(&globals->pointers);
	ms_arena_deinit(&globals->arena);
	free(globals);
}
