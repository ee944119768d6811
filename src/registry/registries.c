// registries.c - from the ELF notes of what is mapped to words of maps.
//
// A note is looked for in memory, as it was loaded: the first page of a program or library has its
// header, and the notes stand in one of its first pages, which the dynamic linker has read. Nothing
// that is read is believed: lengths are bounded, and a registry has to have our cookie, a version
// that we know, and members that lie within the sizes that it gives.
#include "registry/registries.h"

#include "base/cleanup.h"

#include <elf.h>

enum {
	PROGRAM_HEADERS_MAX = 64,
	NOTE_BYTES_MAX = 16 << 10,
	REGISTRY_BYTES_MIN = offsetof(struct hmap_registry, fields),
	REGISTRY_BYTES_MAX = 64 << 10,
	MEMBERS_END_MAX = 4096, // No struct of libhmap is that large.
	LOOKS_AT_ONCE = 1024,
	GAP_MAX = 2048, // Between what one read gets.
	READ_BYTES_MAX = 256 << 10,
};

/** Whether @p err says of the target that it is lost, not of one address. */
static bool is_lost(const struct ms_error *err)
{
	return err && ms_error_code(err) != MS_ERR_FAULT && ms_error_code(err) != MS_ERR_BAD_DATA;
}

/** Read, or say that it cannot be read.  An error means that the target is lost. */
static struct ms_error *try_read(struct ms_target *t, ms_addr addr, void *buf, size_t size,
				 bool *ret_read)
{
	struct ms_error *err = ms_target_read(t, addr, buf, size);

	*ret_read = !err;
	if (is_lost(err))
		return err;
	ms_error_free(err);
	return NULL;
}

// --- The head of a registry. ---

/** The end of the last member among [first, end); false: one of them cannot be. */
static bool members_end(const struct ms_registry *r, unsigned first, unsigned end,
			uint32_t *ret_bytes)
{
	uint32_t bytes = 0;

	for (unsigned i = first; i < end; i++) {
		const struct ms_registry_field *f = &r->fields[i];

		if (!f->size)
			continue;
		if (!ms_is_power_of_two(f->size) || f->size > 8 ||
		    f->offset + f->size > MEMBERS_END_MAX)
			return false;
		bytes = bytes > (uint32_t)f->offset + f->size ? bytes : f->offset + f->size;
	}
	*ret_bytes = bytes;
	return true;
}

/** NULL, or why it is none. */
static const char *describe(const struct hmap_registry *raw, struct ms_registry *r)
{
	static const char none[sizeof(raw->cookie)];
	uint32_t fields = raw->field_count, others;

	if (memcmp(raw->cookie, HMAP_REGISTRY_COOKIE, sizeof(raw->cookie)) != 0) {
		if (memcmp(raw->cookie, none, sizeof(none)) != 0)
			return "its note leads to no registry";
		r->is_begun = false;
	} else {
		r->is_begun = true;
	}
	if (raw->version != HMAP_REGISTRY_VERSION)
		return "its registry is of a version that this mapscope does not know";
	if (raw->size < REGISTRY_BYTES_MIN || raw->size > REGISTRY_BYTES_MAX ||
	    raw->leaf_count != HMAP_REGISTRY_LEAVES || !raw->group_slots || raw->group_slots > 256)
		return "its registry has impossible sizes";
	if (fields > (raw->size - REGISTRY_BYTES_MIN) / sizeof(raw->fields[0]))
		return "its registry names more members than it has";
	for (uint32_t i = 0; i < HMAP_FIELDS && i < fields; i++)
		r->fields[i] =
		    (struct ms_registry_field){ raw->fields[i].offset, raw->fields[i].size };
	if (!members_end(r, 0, HMAP_FIELD_TYPE_NAME, &r->map_bytes) ||
	    !members_end(r, HMAP_FIELD_TYPE_NAME, HMAP_FIELD_CLASSIC_COUNT, &r->type_bytes) ||
	    !members_end(r, HMAP_FIELD_CLASSIC_COUNT, HMAP_FIELD_TAGS, &r->classic_bytes) ||
	    !members_end(r, HMAP_FIELD_TAGS, HMAP_FIELD_CLASSIC_SEED, &r->map_head_bytes) ||
	    !members_end(r, HMAP_FIELD_CLASSIC_SEED, HMAP_FIELD_ARRAY_BUCKETS,
			 &r->classic_head_bytes) ||
	    !members_end(r, HMAP_FIELD_ARRAY_BUCKETS, HMAP_FIELDS, &others) || !r->map_bytes)
		return "its registry names members that cannot be";
	r->map_head_bytes = (uint32_t)ms_max_u64(r->map_head_bytes, r->map_bytes);
	r->classic_head_bytes = (uint32_t)ms_max_u64(r->classic_head_bytes, r->classic_bytes);
	memcpy(r->library, raw->library, sizeof(raw->library));
	r->group_slots = raw->group_slots;
	r->unborn_mask = raw->unborn_mask;
	return NULL;
}

static struct ms_error *refuse(struct ms_registries *rs, const char *why)
{
	rs->refused++;
	rs->refused_why = why;
	return NULL;
}

static struct ms_error *registry_add(struct ms_registries *rs, const struct ms_region *module,
				     ms_addr address)
{
	struct ms_registry r = { .address = address,
				 .module_start = module->start,
				 .module_end = module->end };
	struct hmap_registry raw = { .size = 0 };
	const char *why;
	bool read;
	struct ms_error *err;

	for (size_t i = 0; i < rs->count; i++) {
		if (rs->items[i].address == address)
			return NULL;
	}
	// An older one is shorter, and what follows it may be readable or not.
	err = try_read(rs->target, address, &raw, REGISTRY_BYTES_MIN, &read);
	if (!err && read && raw.size > REGISTRY_BYTES_MIN)
		err = try_read(rs->target, address, &raw, (size_t)ms_min_u64(raw.size, sizeof(raw)),
			       &read);
	if (err)
		return err;
	if (!read)
		return refuse(rs, "its registry could not be read");
	why = describe(&raw, &r);
	if (why)
		return refuse(rs, why);
	if (rs->count == MS_REGISTRIES_MAX)
		return refuse(rs, "there are more registries than are read of one process");
	rs->items[rs->count++] = r;
	return NULL;
}

// --- Notes. ---

/** Look through one segment of notes, which was read from @p at on. */
static struct ms_error *notes_look(struct ms_registries *rs, const struct ms_region *module,
				   ms_addr at, const uint8_t *notes, size_t size, size_t align)
{
	size_t pos = 0;

	while (size - pos >= sizeof(Elf64_Nhdr)) {
		size_t name_size = ms_load_u32(notes + pos), body = ms_load_u32(notes + pos + 4);
		uint32_t type = ms_load_u32(notes + pos + 8);
		size_t name_at = pos + sizeof(Elf64_Nhdr), body_at, next;

		if (name_size > size - name_at || body > size)
			return NULL;
		body_at = ms_round_up(name_at + name_size, align);
		next = ms_round_up(body_at + body, align);
		if (body_at > size || body > size - body_at)
			return NULL;
		if (type == HMAP_NOTE_REGISTRY && name_size == sizeof(HMAP_NOTE_OWNER) &&
		    memcmp(notes + name_at, HMAP_NOTE_OWNER, name_size) == 0 && body == 8) {
			struct ms_error *err =
			    registry_add(rs, module, at + body_at + ms_load_u64(notes + body_at));

			if (err)
				return err;
		}
		if (next <= pos || next > size)
			return NULL;
		pos = next;
	}
	return NULL;
}

static struct ms_error *segment_look(struct ms_registries *rs, const struct ms_region *module,
				     const Elf64_Phdr *ph, ms_addr bias)
{
	size_t size = (size_t)ms_min_u64(ph->p_filesz, NOTE_BYTES_MAX);
	MS_AUTO_FREE uint8_t *notes = malloc(size + 1);
	struct ms_error *err;
	bool read;

	if (!notes)
		return ms_error_no_memory();
	if (!size)
		return NULL;
	err = try_read(rs->target, bias + ph->p_vaddr, notes, size, &read);
	if (err || !read)
		return err;
	// Notes of 8 bytes' alignment stand in segments of their own.
	return notes_look(rs, module, bias + ph->p_vaddr, notes, size, ph->p_align == 8 ? 8 : 4);
}

/** Look at what is mapped from the start of a file. */
static struct ms_error *module_look(struct ms_registries *rs, const struct ms_region *module)
{
	ms_addr start = module->start;
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PROGRAM_HEADERS_MAX];
	ms_addr bias = 0;
	bool read, has_bias = false;
	struct ms_error *err = try_read(rs->target, start, &eh, sizeof(eh), &read);

	if (err || !read || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_phentsize != sizeof(ph[0]) || !eh.e_phnum ||
	    eh.e_phnum > PROGRAM_HEADERS_MAX)
		return err;
	err = try_read(rs->target, start + eh.e_phoff, ph, eh.e_phnum * sizeof(ph[0]), &read);
	if (err || !read)
		return err;
	for (size_t i = 0; i < eh.e_phnum && !has_bias; i++) {
		has_bias = ph[i].p_type == PT_LOAD && ph[i].p_offset == 0;
		bias = start - ph[i].p_vaddr;
	}
	for (size_t i = 0; i < eh.e_phnum && has_bias && !err; i++) {
		if (ph[i].p_type == PT_NOTE)
			err = segment_look(rs, module, &ph[i], bias);
	}
	return err;
}

struct ms_error *ms_registries_find(struct ms_target *target, struct ms_registries *ret_registries)
{
	struct ms_registries rs = { .target = target };
	struct ms_regions regions MS_CLEANUP(ms_regions_deinit) = { 0 };
	struct ms_error *err = ms_target_regions(target, &regions);

	for (size_t i = 0; i < regions.count && !err; i++) {
		const struct ms_region *r = &regions.items[i];

		if ((r->kind == MS_REGION_EXE || r->kind == MS_REGION_LIBRARY) &&
		    r->file_offset == 0 && (r->prot & MS_PROT_READ))
			err = module_look(&rs, r);
	}
	if (err)
		return err;
	*ret_registries = rs;
	return NULL;
}

struct ms_error *ms_registry_state_read(struct ms_target *t, const struct ms_registry *r,
					struct ms_registry_state *ret_state)
{
	struct hmap_registry raw;
	struct ms_error *err = ms_target_read(t, r->address, &raw, REGISTRY_BYTES_MIN);

	if (err)
		return err;
	*ret_state = (struct ms_registry_state){ .changes = raw.changes,
						 .unlisted = raw.unlisted,
						 .used = raw.used };
	memcpy(ret_state->leaves, raw.leaves, sizeof(raw.leaves));
	return NULL;
}

// --- Maps. ---

uint64_t ms_registry_load(const struct ms_registry *r, enum hmap_field field, const uint8_t *raw)
{
	const struct ms_registry_field *f = &r->fields[field];

	switch (f->size) {
	case 1:
		return raw[f->offset];
	case 2:
		return ms_load_u16(raw + f->offset);
	case 4:
		return ms_load_u32(raw + f->offset);
	case 8:
		return ms_load_u64(raw + f->offset);
	default:
		return MS_UNKNOWN;
	}
}

/** Where in a map's words a member goes. */
static const struct word_place {
	enum hmap_field field;
	size_t at;
} word_places[] = {
#define PLACE(field, word)                                                                         \
	{                                                                                          \
		HMAP_FIELD_##field, offsetof(struct ms_hmap_words, word)                           \
	}
	PLACE(TYPE, type),
	PLACE(NAME, name),
	PLACE(CREATED_AT, created_at),
	PLACE(CLASSIC, classic),
	PLACE(COUNT, count),
	PLACE(GROUPS, groups),
	PLACE(LOW, low),
	PLACE(PASS, pass),
	PLACE(GROW_AT, grow_at),
	PLACE(STATE, state),
	PLACE(NODES, nodes),
	PLACE(BYTES, bytes),
	PLACE(GROWTHS, growths),
	PLACE(COMPACTIONS, compactions),
	PLACE(SHRINKS, shrinks),
	PLACE(COMPACTED, compacted),
	PLACE(CLASSIC_COUNT, c.count),
	PLACE(CLASSIC_B, c.B),
	PLACE(CLASSIC_OVERFLOW, c.overflow),
	PLACE(CLASSIC_OLD, c.old),
	PLACE(CLASSIC_EVACUATED, c.evacuated),
	PLACE(CLASSIC_FLAGS, c.flags),
	PLACE(CLASSIC_LOAD, c.load),
	PLACE(CLASSIC_BYTES, c.bytes),
	PLACE(CLASSIC_GROWTHS, c.growths),
	PLACE(CLASSIC_COMPACTIONS, c.compactions),
#undef PLACE
};

static void word_put(struct ms_hmap_words *words, const struct word_place *place, uint64_t value)
{
	memcpy((uint8_t *)words + place->at, &value, sizeof(value));
}

/** Take the members [first, end) of one struct. */
static void take_members(struct ms_hmap_look *look, enum hmap_field first, enum hmap_field end,
			 const uint8_t *raw)
{
	look->status = MS_HMAP_READ;
	for (size_t i = 0; i < MS_ARRAY_SIZE(word_places); i++) {
		const struct word_place *place = &word_places[i];

		if (place->field >= first && place->field < end)
			word_put(&look->words, place,
				 ms_registry_load(look->registry, place->field, raw));
	}
}

static void take_map(struct ms_hmap_look *look, const uint8_t *raw)
{
	look->words = (struct ms_hmap_words){ 0 };
	take_members(look, HMAP_FIELD_TYPE, HMAP_FIELD_TYPE_NAME, raw);
}

static void take_classic(struct ms_hmap_look *look, const uint8_t *raw)
{
	take_members(look, HMAP_FIELD_CLASSIC_COUNT, HMAP_FIELD_TAGS, raw);
}

static bool is_classic(const struct ms_hmap_look *look)
{
	return look->status == MS_HMAP_READ && ms_hmap_is_classic(&look->words) &&
	       look->registry->classic_bytes;
}

/**
 * Room for a batch: what is wanted, and the reads that get it.  Maps lie near each other where they
 * were made one after the other, and one read over the gaps between them costs less than many.
 */
struct batch {
	struct wanted {
		struct ms_hmap_look *look;
		ms_addr at;
		uint32_t size;
		uint32_t read; // Of reads.
	} wanted[LOOKS_AT_ONCE];
	struct ms_read reads[LOOKS_AT_ONCE];
	size_t count, read_count;
	uint32_t bytes; // Of raw, in use.
	uint8_t raw[];
};

typedef void (*take_fn)(struct ms_hmap_look *look, const uint8_t *raw);

/** For as many of @p looks as are taken at once; NULL when memory is short. */
static struct batch *batch_create(const struct ms_hmap_look *looks, size_t count)
{
	uint32_t look_bytes = 0;
	struct batch *b;

	for (size_t i = 0; i < count; i++) {
		const struct ms_registry *r = looks[i].registry;

		look_bytes =
		    (uint32_t)ms_max_u64(look_bytes, ms_max_u64(r->map_bytes, r->classic_bytes));
	}
	b = malloc(sizeof(*b) + (size_t)ms_min_u64(count, LOOKS_AT_ONCE) * (look_bytes + GAP_MAX));
	if (b) {
		b->count = b->read_count = 0;
		b->bytes = 0;
	}
	return b;
}

/** What a read over a gap did not get, a read of its own may. */
static struct ms_error *take_alone(struct ms_target *t, const struct wanted *w, take_fn take)
{
	uint8_t raw[MEMBERS_END_MAX];
	struct ms_read read = { .addr = w->at, .buf = raw, .size = w->size };
	struct ms_error *err = ms_target_read_many(t, &read, 1);

	if (!err && read.status == MS_READ_OK)
		take(w->look, raw);
	return err;
}

static struct ms_error *batch_do(struct ms_target *t, struct batch *b, take_fn take)
{
	struct ms_error *err = b->count ? ms_target_read_many(t, b->reads, b->read_count) : NULL;

	for (size_t i = 0; i < b->count && !err; i++) {
		const struct wanted *w = &b->wanted[i];
		const struct ms_read *read = &b->reads[w->read];

		if (read->status == MS_READ_OK)
			take(w->look, (const uint8_t *)read->buf + (w->at - read->addr));
		else if (read->size > w->size)
			err = take_alone(t, w, take);
	}
	b->count = b->read_count = 0;
	b->bytes = 0;
	return err;
}

static void batch_add(struct batch *b, struct ms_hmap_look *look, ms_addr at, uint32_t size)
{
	struct ms_read *last = b->read_count ? &b->reads[b->read_count - 1] : NULL;
	uint64_t from = last ? at - last->addr : 0;
	uint32_t more = 0;

	if (last && from < READ_BYTES_MAX && from <= last->size + GAP_MAX) {
		more = from + size > last->size ? (uint32_t)(from + size - last->size) : 0;
		last->size += more;
	} else {
		b->reads[b->read_count++] =
		    (struct ms_read){ .addr = at, .buf = b->raw + b->bytes, .size = size };
		more = size;
	}
	b->bytes += more;
	b->wanted[b->count++] = (struct wanted){ look, at, size, (uint32_t)b->read_count - 1 };
}

struct ms_error *ms_hmap_look(struct ms_target *t, struct ms_hmap_look *looks, size_t count)
{
	MS_AUTO_FREE struct batch *b = batch_create(looks, count);
	struct ms_error *err = NULL;

	if (!b)
		return ms_error_no_memory();
	for (size_t from = 0; from < count && !err; from += LOOKS_AT_ONCE) {
		size_t to = from + LOOKS_AT_ONCE < count ? from + LOOKS_AT_ONCE : count;

		for (size_t i = from; i < to; i++) {
			looks[i].status = MS_HMAP_UNREAD;
			batch_add(b, &looks[i], looks[i].address, looks[i].registry->map_bytes);
		}
		err = batch_do(t, b, take_map);
		for (size_t i = from; i < to && !err; i++) {
			if (is_classic(&looks[i])) {
				looks[i].status = MS_HMAP_UNREAD;
				batch_add(b, &looks[i], looks[i].words.classic,
					  looks[i].registry->classic_bytes);
			}
		}
		if (!err)
			err = batch_do(t, b, take_classic);
	}
	return err;
}

// --- One map, and the structs behind it. ---

static void members_load(const struct ms_registry *r, enum hmap_field first, enum hmap_field end,
			 const uint8_t *raw, struct ms_hmap_head *head)
{
	for (unsigned i = first; i < (unsigned)end; i++)
		head->members[i] = ms_registry_load(r, (enum hmap_field)i, raw);
}

struct ms_error *ms_registry_read(struct ms_target *t, const struct ms_registry *r, ms_addr addr,
				  enum hmap_field first, enum hmap_field end,
				  struct ms_hmap_head *ret_head, bool *ret_read)
{
	uint8_t raw[MEMBERS_END_MAX];
	uint32_t bytes = 0;
	struct ms_error *err;

	*ret_read = members_end(r, first, end, &bytes) && bytes;
	err = *ret_read ? try_read(t, addr, raw, bytes, ret_read) : NULL;
	if (!err && *ret_read)
		members_load(r, first, end, raw, ret_head);
	return err;
}

struct ms_error *ms_hmap_head_read(struct ms_target *t, const struct ms_registry *r, ms_addr map,
				   struct ms_hmap_head *ret_head, bool *ret_read)
{
	uint8_t raw[MEMBERS_END_MAX];
	struct ms_error *err = try_read(t, map, raw, r->map_head_bytes, ret_read);
	ms_addr classic;

	for (unsigned i = 0; i < HMAP_FIELDS; i++)
		ret_head->members[i] = MS_UNKNOWN;
	if (err || !*ret_read)
		return err;
	members_load(r, HMAP_FIELD_TYPE, HMAP_FIELD_TYPE_NAME, raw, ret_head);
	members_load(r, HMAP_FIELD_TAGS, HMAP_FIELD_CLASSIC_SEED, raw, ret_head);
	classic = ret_head->members[HMAP_FIELD_CLASSIC];
	if (!classic || classic == MS_UNKNOWN || !r->classic_head_bytes)
		return NULL;
	err = try_read(t, classic, raw, r->classic_head_bytes, ret_read);
	if (err || !*ret_read)
		return err;
	members_load(r, HMAP_FIELD_CLASSIC_COUNT, HMAP_FIELD_TAGS, raw, ret_head);
	members_load(r, HMAP_FIELD_CLASSIC_SEED, HMAP_FIELD_ARRAY_BUCKETS, raw, ret_head);
	return NULL;
}

struct ms_hmap_words ms_hmap_head_words(const struct ms_hmap_head *head)
{
	struct ms_hmap_words words;

	for (size_t i = 0; i < MS_ARRAY_SIZE(word_places); i++)
		word_put(&words, &word_places[i], head->members[word_places[i].field]);
	return words;
}

static bool has_members(const struct ms_registry *r, enum hmap_field first, enum hmap_field end)
{
	for (unsigned i = first; i < (unsigned)end; i++) {
		if (!r->fields[i].size)
			return false;
	}
	return true;
}

bool ms_registry_has_tables(const struct ms_registry *r, bool classic)
{
	if (classic)
		return has_members(r, HMAP_FIELD_CLASSIC_COUNT, HMAP_FIELD_TAGS) &&
		       has_members(r, HMAP_FIELD_CLASSIC_SEED, HMAP_FIELD_SLAB_NEXT);
	for (unsigned i = HMAP_FIELD_GROUP_BYTES; i < HMAP_FIELDS; i++) {
		if (!r->fields[i].offset)
			return false;
	}
	return has_members(r, HMAP_FIELD_TYPE, HMAP_FIELD_TYPE_NAME) &&
	       has_members(r, HMAP_FIELD_TAGS, HMAP_FIELD_CLASSIC_SEED) &&
	       has_members(r, HMAP_FIELD_SLAB_NEXT, HMAP_FIELD_GROUP_BYTES);
}
