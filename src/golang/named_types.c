// named_types.c - a named type has an "uncommon" part behind its descriptor, which names the
// package; the descriptor's own name has only the path's last element ("http.Server").
//
// Where the uncommon part begins depends on the kind.  Map types are left out: their size is no
// fact that we ask for, and a map's methods say little that its use does not.
#include "golang/named_types.h"

#include "base/cleanup.h"
#include "base/vec.h"

enum {
	TFLAG_UNCOMMON = 1, // abi.TFlagUncommon, abi.TFlagNamed
	TFLAG_NAMED = 4,
	KIND_ARRAY = 17,
	KIND_CHAN = 18,
	KIND_FUNC = 19,
	KIND_INTERFACE = 20,
	KIND_POINTER = 22,
	KIND_SLICE = 23,
	WORD = 8,
	SLICE_BYTES = 24,
	TYPES_MAX = 1 << 20,
	PATH_BYTES_MAX = 1024,
};

struct named {
	uint64_t hash;
	ms_addr address;
};

struct ms_named_types {
	struct named *slots; // A power of two of them; address 0 is free.
	size_t slot_count;
	size_t count;
};

static uint64_t hash_bytes(uint64_t hash, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3;
	return hash;
}

static uint64_t hash_of(const char *package, size_t package_size, const char *name,
			size_t name_size)
{
	uint64_t hash = hash_bytes(0xcbf29ce484222325, package, package_size);

	return hash_bytes(hash_bytes(hash, ".", 1), name, name_size);
}

/** Bytes of the descriptor before its uncommon part; 0 for a kind that is left out. */
static uint64_t part_bytes(const struct ms_go_layout *l, unsigned kind)
{
	switch (kind) {
	case KIND_ARRAY:
		return l->arraytype_len + (uint64_t)WORD;
	case KIND_CHAN:
		return l->chantype_elem + 2ull * WORD; // The direction follows.
	case KIND_FUNC:
		return l->functype_size;
	case KIND_INTERFACE:
		return l->interfacetype_methods + (uint64_t)SLICE_BYTES;
	case MS_KIND_MAP:
		return 0;
	case KIND_POINTER:
		return l->ptrtype_elem + (uint64_t)WORD;
	case KIND_SLICE:
		return l->slicetype_elem + (uint64_t)WORD;
	case MS_KIND_STRUCT:
		return l->structtype_fields + (uint64_t)SLICE_BYTES;
	default:
		return l->type_size;
	}
}

/** The part of "http.Server" behind the package: a dot inside brackets is none of it. */
static const char *own_name(const char *text, size_t *size)
{
	size_t end = *size;
	const char *bracket = memchr(text, '[', end), *dot;

	dot = memrchr(text, '.', bracket ? (size_t)(bracket - text) : end);
	if (!dot)
		return NULL;
	*size = end - (size_t)(dot + 1 - text);
	return *size ? dot + 1 : NULL;
}

static bool named_parse(const struct ms_types *types, const struct ms_go_layout *l,
			const struct ms_types_section *s, uint64_t at, uint64_t *ret_hash)
{
	const uint8_t *raw = s->bytes + at;
	unsigned kind = raw[l->type_kind] & MS_KIND_MASK;
	uint64_t part;
	const char *name, *package;
	size_t name_size, package_size;

	if ((raw[l->type_tflag] & (TFLAG_NAMED | TFLAG_UNCOMMON)) !=
		(TFLAG_NAMED | TFLAG_UNCOMMON) ||
	    !kind || kind > MS_KIND_MAX || raw[l->type_tflag] > 31 ||
	    ms_load_u64(raw + l->type_ptrdata) > ms_load_u64(raw + l->type_bytes))
		return false;
	part = part_bytes(l, kind);
	if (!part || part + l->uncommontype_size > s->size - at ||
	    ms_load_u32(raw + l->type_str) >= s->size)
		return false;
	if (!ms_types_name(types, l, s->start + at, &name, &name_size) ||
	    !ms_types_text(types, s->start + ms_load_u32(raw + part + l->uncommontype_package),
			   &package, &package_size))
		return false;
	name = own_name(name, &name_size);
	if (!name)
		return false;
	*ret_hash = hash_of(package, package_size, name, name_size);
	return true;
}

static struct named *slot_of(const struct ms_named_types *n, uint64_t hash)
{
	size_t i = hash & (n->slot_count - 1);

	while (n->slots[i].address && n->slots[i].hash != hash)
		i = (i + 1) & (n->slot_count - 1);
	return &n->slots[i];
}

/** Several types of one name: which is meant cannot be told. */
static const ms_addr AMBIGUOUS = 1;

static bool named_add(struct ms_named_types *n, uint64_t hash, ms_addr address)
{
	struct named *slot;

	if (2 * n->count >= n->slot_count) {
		struct ms_named_types larger = { .slot_count =
						     n->slot_count ? 2 * n->slot_count : 1024 };

		larger.slots = calloc(larger.slot_count, sizeof(*larger.slots));
		if (!larger.slots)
			return false;
		for (size_t i = 0; i < n->slot_count; i++) {
			if (n->slots[i].address)
				*slot_of(&larger, n->slots[i].hash) = n->slots[i];
		}
		free(n->slots);
		n->slots = larger.slots;
		n->slot_count = larger.slot_count;
	}
	slot = slot_of(n, hash);
	n->count += !slot->address;
	*slot = (struct named){ hash, slot->address ? AMBIGUOUS : address };
	return true;
}

struct ms_error *ms_named_types_create(const struct ms_types *types,
				       const struct ms_go_layout *layout,
				       struct ms_named_types **ret_named)
{
	struct ms_named_types *n = calloc(1, sizeof(*n));

	if (!n || !named_add(n, 0, AMBIGUOUS)) {
		free(n);
		return ms_error_no_memory();
	}
	for (size_t i = 0; i < types->section_count; i++) {
		const struct ms_types_section *s = &types->sections[i];

		for (uint64_t at = 0; at + layout->type_size <= s->size; at += WORD) {
			uint64_t hash;

			if (n->count >= TYPES_MAX || !named_parse(types, layout, s, at, &hash))
				continue;
			if (!named_add(n, hash, s->start + at)) {
				ms_named_types_destroy(n);
				return ms_error_no_memory();
			}
		}
	}
	*ret_named = n;
	return NULL;
}

ms_addr ms_named_types_find(const struct ms_named_types *named, const char *package,
			    size_t package_size, const char *name, size_t name_size)
{
	ms_addr address = slot_of(named, hash_of(package, package_size, name, name_size))->address;

	return address == AMBIGUOUS ? 0 : address;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** A path as the package has it: %2e is a dot. */
static size_t path_unescape(const char *path, size_t size, char to[PATH_BYTES_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < size && len < PATH_BYTES_MAX; i++) {
		int high = path[i] == '%' && i + 2 < size ? hex_digit(path[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(path[i + 2]) : -1;

		to[len++] = low >= 0 ? (char)(high * 16 + low) : path[i];
		i += low >= 0 ? 2 : 0;
	}
	return len;
}

/** Whether @p method is nothing but a method: no closure of one, and no bound one. */
static bool is_method(const char *method)
{
	return *method && !method[strcspn(method, ".-[(")];
}

/**
 * The trie of package internal/sync that a function is a method of.  Generic code knows types by
 * shape only, and these two shapes are of one type each there: sync.Map's, and the index of package
 * unique.  The methods of sync.Map itself are the trie's where no type of that name is kept.
 */
static ms_addr trie_receiver(const struct ms_named_types *named, const char *name)
{
	static const char package[] = "internal/sync";
	static const struct {
		const char *methods, *type;
	} tries[] = {
		{ "internal/sync.(*HashTrieMap[go.shape.interface {},go.shape.interface {}]).",
		  "HashTrieMap[interface {},interface {}]" },
		{ "internal/sync.(*HashTrieMap[go.shape.*internal/abi.Type,go.shape.interface "
		  "{}]).",
		  "HashTrieMap[*internal/abi.Type,interface {}]" },
		{ "sync.(*Map).", "HashTrieMap[interface {},interface {}]" },
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(tries); i++) {
		size_t size = strlen(tries[i].methods);

		if (!strncmp(name, tries[i].methods, size) && is_method(name + size))
			return ms_named_types_find(named, package, strlen(package), tries[i].type,
						   strlen(tries[i].type));
	}
	return 0;
}

/** The named type that a function which is not generic is a method of. */
static ms_addr plain_receiver(const struct ms_named_types *named, const char *name)
{
	const char *open = strstr(name, ".(*"), *slash, *close;
	char path[PATH_BYTES_MAX];
	size_t size;

	if (!open || (size_t)(open - name) >= sizeof(path))
		return 0;
	slash = memrchr(name, '/', (size_t)(open - name));
	if (memchr(slash ? slash : name, '.', (size_t)(open - (slash ? slash : name))))
		return 0; // A closure's method, or no path.
	close = strstr(open, ").");
	if (!close)
		return 0;
	if (!is_method(close + 2) || memchr(open, '[', (size_t)(close - open)))
		return 0;
	size = path_unescape(name, (size_t)(open - name), path);
	return ms_named_types_find(named, path, size, open + 3, (size_t)(close - (open + 3)));
}

ms_addr ms_named_types_receiver(const struct ms_named_types *named, const char *name)
{
	ms_addr type = plain_receiver(named, name);

	return type ? type : trie_receiver(named, name);
}

void ms_named_types_destroy(struct ms_named_types *named)
{
	if (!named)
		return;
	free(named->slots);
	free(named);
}
