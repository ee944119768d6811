// growth_profile.c - where maps were made and who grew them, as profiles that pprof reads.
//
// The stack of a growth is taken by backtrace() as it begins: the thread that put in the one entry
// too many.  Stacks are summed in a table of fixed size; what finds no place is counted, and the
// profile says so.  Mappings and their build ids let pprof find names and lines that we do not.
#include "hmap_debug/parts.h"

#include <elf.h>
#include <execinfo.h>
#include <inttypes.h>
#include <link.h>
#include <profile.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
	DEPTH = 32,
	STACKS = 4096, // Places; a power of two.
	TRIES = 16,
	MODULES = 256,
	VALUES = 3,
	GZIP = 16,
};

/** Samples of one stack. */
struct stack {
	uint64_t hash; // 0: a free place.
	void *pcs[DEPTH];
	int depth;
	int64_t values[VALUES];
};

struct table {
	struct stack *items; // STACKS of them.
	uint64_t lost;
};

static struct table growths;
static uint64_t missed; // Growths that came while it was being read.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t hash_more(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

static uint64_t hash_of(void *const *pcs, int depth)
{
	uint64_t hash = (uint64_t)depth;

	for (int i = 0; i < depth; i++)
		hash = hash_more(hash, (uintptr_t)pcs[i]);
	return hash ? hash : 1;
}

static void table_add(struct table *t, void *const *pcs, int depth, const int64_t values[VALUES])
{
	uint64_t hash = hash_of(pcs, depth);

	for (size_t i = 0; i < TRIES; i++) {
		struct stack *s = &t->items[(hash + i) & (STACKS - 1)];

		if (!s->hash) {
			s->hash = hash;
			s->depth = depth;
			memcpy(s->pcs, pcs, (size_t)depth * sizeof(*pcs));
		}
		if (s->hash != hash || s->depth != depth ||
		    memcmp(s->pcs, pcs, (size_t)depth * sizeof(*pcs)) != 0)
			continue;
		for (size_t v = 0; v < VALUES; v++)
			s->values[v] += values[v];
		return;
	}
	t->lost++;
}

/** Frames of ours, above which the program's begin: this function and the observer. */
enum { OWN_FRAMES = 2 };

void hd_growth_take(const struct hmap *map, const struct hmap_event *event)
{
	const struct hmap_type *type = hd_calls->type_of(map);
	size_t added = event->to > event->from ? event->to - event->from : 0;
	int64_t values[VALUES] = { 1, (int64_t)added,
				   (int64_t)(added *
					     ((size_t)type->key_size + type->value_size + 1)) };
	void *pcs[DEPTH + OWN_FRAMES];
	int depth = backtrace(pcs, DEPTH + OWN_FRAMES);

	if (depth <= OWN_FRAMES)
		return;
	// A map's call waits for nobody: not for a reader of the profile, nor, in a child that was
	// forked while somebody held it, for ever.
	if (pthread_mutex_trylock(&lock) != 0) {
		__atomic_add_fetch(&missed, 1, __ATOMIC_RELAXED);
		return;
	}
	if (!growths.items)
		growths.items = calloc(STACKS, sizeof(*growths.items));
	if (growths.items)
		table_add(&growths, pcs + OWN_FRAMES, depth - OWN_FRAMES, values);
	pthread_mutex_unlock(&lock);
}

// --- A profile. ---

struct module {
	uint64_t start, end, offset;
	char file[256], build_id[64];
};

/** A location for each address, a function for each name. */
struct profile {
	Ms__Pprof__Profile message;
	char **strings; // Each once, and found by its hash.
	size_t string_count, string_room;
	struct hd_kept_once known_strings; // One more than their numbers.
	struct module modules[MODULES];
	size_t module_count;
	uint64_t *addresses; // Of locations; the id is one more.
	size_t address_count, address_room;
	struct hd_kept_once known_addresses; // Their ids.
	void *blocks[16];                    // Of the message's parts.
	size_t block_count;
	bool failed;
};

/** Room for one more item; false, and noted, where there is no memory. */
static bool make_room(struct profile *p, void *items, size_t size, size_t count, size_t *room)
{
	size_t wanted = *room ? 2 * *room : 256;
	void *before, *after;

	if (count < *room)
		return true;
	memcpy(&before, items, sizeof(before));
	after = realloc(before, wanted * size);
	p->failed |= !after;
	if (!after)
		return false;
	memcpy(items, &after, sizeof(after));
	*room = wanted;
	return true;
}

static int64_t string_of(struct profile *p, const char *text)
{
	uint64_t hash = 0;
	size_t at = 0, number;

	for (const char *c = text; *c; c++)
		hash = hash_more(hash, (unsigned char)*c);
	while ((number = hd_kept_once_next(&p->known_strings, hash, &at)))
		if (!strcmp(p->strings[number - 1], text))
			return (int64_t)number - 1;
	if (!make_room(p, &p->strings, sizeof(*p->strings), p->string_count, &p->string_room))
		return 0;
	p->strings[p->string_count] = strdup(text);
	if (!p->strings[p->string_count] ||
	    !hd_kept_once_add(&p->known_strings, hash, p->string_count + 1)) {
		free(p->strings[p->string_count]);
		p->failed = true;
		return 0;
	}
	return (int64_t)p->string_count++;
}

static uint64_t location_of(struct profile *p, uint64_t address)
{
	uint64_t hash = hash_more(0, address);
	size_t at = 0, id;

	while ((id = hd_kept_once_next(&p->known_addresses, hash, &at)))
		if (p->addresses[id - 1] == address)
			return id;
	if (!make_room(p, &p->addresses, sizeof(*p->addresses), p->address_count, &p->address_room))
		return 0;
	if (!hd_kept_once_add(&p->known_addresses, hash, p->address_count + 1)) {
		p->failed = true;
		return 0;
	}
	p->addresses[p->address_count++] = address;
	return p->address_count;
}

static void build_id_of(const struct dl_phdr_info *info, struct module *m)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		const char *at = (const char *)(info->dlpi_addr + ph->p_vaddr),
			   *end = at + ph->p_memsz;

		if (ph->p_type != PT_NOTE || ph->p_align == 8)
			continue;
		while (at + sizeof(ElfW(Nhdr)) < end) {
			const ElfW(Nhdr) *note = (const void *)at;
			const unsigned char *id = (const unsigned char *)at + sizeof(*note) +
						  (note->n_namesz + 3) / 4 * 4;

			if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= 20)
				for (size_t b = 0; b < note->n_descsz; b++)
					snprintf(m->build_id + 2 * b, 3, "%02x", id[b]);
			at = (const char *)id + (note->n_descsz + 3) / 4 * 4;
		}
	}
}

static int module_add(struct dl_phdr_info *info, size_t size, void *state)
{
	struct profile *p = state;
	ssize_t length;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum && p->module_count < MODULES; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		struct module *m = &p->modules[p->module_count];

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		*m = (struct module){ .start = (info->dlpi_addr + ph->p_vaddr) & ~(uint64_t)4095,
				      .end = (info->dlpi_addr + ph->p_vaddr + ph->p_memsz + 4095) &
					     ~(uint64_t)4095,
				      .offset = ph->p_offset & ~(uint64_t)4095 };
		if (info->dlpi_name && info->dlpi_name[0]) {
			snprintf(m->file, sizeof(m->file), "%s", info->dlpi_name);
		} else {
			length = readlink("/proc/self/exe", m->file, sizeof(m->file) - 1);
			m->file[length > 0 ? length : 0] = '\0';
		}
		build_id_of(info, m);
		p->module_count++;
	}
	return 0;
}

static uint64_t module_of(const struct profile *p, uint64_t address)
{
	for (size_t i = 0; i < p->module_count; i++)
		if (address >= p->modules[i].start && address < p->modules[i].end)
			return i + 1;
	return 0;
}

static void gzip(struct hd_text *text, const uint8_t *bytes, size_t size)
{
	unsigned char out[16384];
	z_stream z = { .next_in = (Bytef *)(uintptr_t)bytes, .avail_in = (uInt)size };
	int status = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP, 8,
				  Z_DEFAULT_STRATEGY);

	text->failed |= status != Z_OK;
	while (status == Z_OK) {
		z.next_out = out;
		z.avail_out = sizeof(out);
		status = deflate(&z, Z_FINISH);
		hd_put_bytes(text, out, sizeof(out) - z.avail_out);
	}
	(void)deflateEnd(&z);
}

/** A block that lives as long as the profile; NULL, and noted, where there is no memory. */
static void *block_of(struct profile *p, size_t count, size_t size)
{
	void *block = calloc(count + 1, size);

	p->failed |= !block;
	if (block)
		p->blocks[p->block_count++] = block;
	return block;
}

/** @p count messages of @p size bytes, and the pointers to them that protobuf-c wants. */
static void *messages_of(struct profile *p, size_t count, size_t size, void *ret_pointers)
{
	char *items = block_of(p, count, size);
	void **pointers = block_of(p, count, sizeof(*pointers));

	for (size_t i = 0; items && pointers && i < count; i++)
		pointers[i] = items + i * size;
	memcpy(ret_pointers, &pointers, sizeof(pointers));
	return pointers ? items : NULL;
}

static void put_locations(struct profile *p, struct hd_symbols *symbols)
{
	size_t count = p->address_count;
	Ms__Pprof__Location *l = messages_of(p, count, sizeof(*l), &p->message.location);
	Ms__Pprof__Function *f = messages_of(p, count, sizeof(*f), &p->message.function);
	Ms__Pprof__Line **lines, *line = messages_of(p, count, sizeof(*line), &lines);

	if (!l || !f || !line)
		return;
	p->message.n_location = count;
	for (size_t i = 0; i < count; i++) {
		size_t function = p->message.n_function;
		const char *file, *name;
		int number;

		ms__pprof__location__init(&l[i]);
		l[i].id = i + 1;
		l[i].address = p->addresses[i];
		l[i].mapping_id = module_of(p, p->addresses[i]);
		name = hd_symbols_at(symbols, p->addresses[i], &file, &number);
		if (!name)
			continue; // pprof looks it up in the module's file.
		ms__pprof__function__init(&f[function]);
		f[function].id = function + 1;
		f[function].name_text = string_of(p, name);
		if (file)
			f[function].filename_text = string_of(p, file);
		ms__pprof__line__init(&line[i]);
		line[i].function_id = function + 1;
		line[i].line = number;
		l[i].n_line = 1;
		l[i].line = &lines[i];
		p->message.n_function++;
	}
}

static void put_mappings(struct profile *p)
{
	Ms__Pprof__Mapping *m;

	(void)dl_iterate_phdr(module_add, p);
	m = messages_of(p, p->module_count, sizeof(*m), &p->message.mapping);
	if (!m)
		return;
	p->message.n_mapping = p->module_count;
	for (size_t i = 0; i < p->module_count; i++) {
		ms__pprof__mapping__init(&m[i]);
		m[i].id = i + 1;
		m[i].memory_start = p->modules[i].start;
		m[i].memory_limit = p->modules[i].end;
		m[i].file_offset = p->modules[i].offset;
		m[i].filename_text = string_of(p, p->modules[i].file);
		m[i].build_id_text = string_of(p, p->modules[i].build_id);
	}
}

struct sample {
	Ms__Pprof__Sample message;
	uint64_t locations[DEPTH];
	int64_t values[VALUES];
};

static void put_samples(struct profile *p, const struct table *t)
{
	size_t count = 0;
	struct sample *s;

	for (size_t i = 0; i < STACKS && t->items; i++)
		count += t->items[i].hash != 0;
	s = messages_of(p, count, sizeof(*s), &p->message.sample);
	if (!s)
		return;
	p->message.n_sample = count;
	for (size_t i = 0; i < STACKS && t->items; i++) {
		const struct stack *stack = &t->items[i];

		if (!stack->hash)
			continue;
		ms__pprof__sample__init(&s->message);
		for (int k = 0; k < stack->depth; k++) // Of the call, not of what follows it.
			s->locations[k] = location_of(p, (uintptr_t)stack->pcs[k] - 1);
		memcpy(s->values, stack->values, sizeof(s->values));
		s->message.n_location_id = (size_t)stack->depth;
		s->message.location_id = s->locations;
		s->message.n_value = VALUES;
		s->message.value = s->values;
		s++;
	}
}

static void put_types(struct profile *p, const char *const types[VALUES][2])
{
	Ms__Pprof__ValueType *v = messages_of(p, VALUES, sizeof(*v), &p->message.sample_type);

	if (!v)
		return;
	p->message.n_sample_type = VALUES;
	for (size_t i = 0; i < VALUES; i++) {
		ms__pprof__value_type__init(&v[i]);
		v[i].type_text = string_of(p, types[i][0]);
		v[i].unit_text = string_of(p, types[i][1]);
	}
}

static void put_lost(struct profile *p, uint64_t lost)
{
	char text[96];
	int64_t *comment = block_of(p, 1, sizeof(*comment));

	if (!comment || !lost)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " are missing: there was no place for their stacks",
		 lost);
	*comment = string_of(p, text);
	p->message.n_comment_text = 1;
	p->message.comment_text = comment;
}

static void profile_write(const struct table *t, const char *const types[VALUES][2],
			  struct hd_text *text)
{
	struct profile *p = calloc(1, sizeof(*p));
	uint8_t *packed = NULL;
	struct hd_symbols *symbols;

	if (!p) {
		text->failed = true;
		return;
	}
	symbols = hd_symbols_open();
	ms__pprof__profile__init(&p->message);
	(void)string_of(p, "");
	put_types(p, types);
	put_samples(p, t);
	put_mappings(p);
	put_locations(p, symbols);
	hd_symbols_close(symbols);
	put_lost(p, t->lost);
	p->message.string_table = p->strings;
	p->message.n_string_table = p->string_count;
	if (!p->failed)
		packed = malloc(ms__pprof__profile__get_packed_size(&p->message) + 1);
	if (packed)
		gzip(text, packed, ms__pprof__profile__pack(&p->message, packed));
	else
		text->failed = true;
	free(packed);
	for (size_t i = 0; i < p->block_count; i++)
		free(p->blocks[i]);
	for (size_t i = 0; i < p->string_count; i++)
		free(p->strings[i]);
	free(p->strings);
	free(p->addresses);
	hd_kept_once_end(&p->known_strings);
	hd_kept_once_end(&p->known_addresses);
	free(p);
}

void hd_profile_growth(struct hd_text *text)
{
	static const char *const types[VALUES][2] = { { "growths", "count" },
						      { "slots", "count" },
						      { "payload", "bytes" } };
	struct table copy = { .items = calloc(STACKS, sizeof(*copy.items)) };

	pthread_mutex_lock(&lock);
	if (copy.items && growths.items)
		memcpy(copy.items, growths.items, STACKS * sizeof(*copy.items));
	copy.lost = growths.lost + __atomic_load_n(&missed, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&lock);
	profile_write(&copy, types, text);
	free(copy.items);
}

static bool map_take(const struct hmap *map, void *state)
{
	void *made_at = (void *)(uintptr_t)hd_calls->created_at(map);
	struct hmap_stats stats;

	hd_calls->peek(map, &stats);
	if (made_at)
		table_add(state, &made_at, 1,
			  (const int64_t[VALUES]){ 1, (int64_t)stats.entries,
						   (int64_t)stats.total_bytes });
	return true;
}

void hd_profile_maps(struct hd_text *text)
{
	static const char *const types[VALUES][2] = { { "maps", "count" },
						      { "entries", "count" },
						      { "space", "bytes" } };
	struct table maps = { .items = calloc(STACKS, sizeof(*maps.items)) };

	if (maps.items)
		hd_calls->each_map(map_take, &maps);
	profile_write(&maps, types, text);
	free(maps.items);
}
