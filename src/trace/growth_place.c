// growth_place.c - which functions make a map grow, and where they lie in the executable's file.
//
// All of them are cold: a program that inserts a million times a second calls them some dozens of
// times.  (*table).rehash is no row of the table: it does nothing but call grow or split.
#include "trace/growth_place.h"

#include "golang/functions.h"
#include "maps/classic.h"

static const uint64_t WINDOW_NS = 1000000000, WINDOW_EVENTS = 10000; // Of each CPU.

struct growth_function {
	const char *name;
	enum ms_bpf_kind kind;
};

static const struct growth_function classic[] = {
	{ "runtime.hashGrow", MS_BPF_HASH_GROW },
};

static const struct growth_function swiss[] = {
	{ "internal/runtime/maps.(*Map).growToSmall", MS_BPF_TO_SMALL },
	{ "internal/runtime/maps.(*Map).growToTable", MS_BPF_TO_TABLE },
	{ "internal/runtime/maps.(*table).grow", MS_BPF_TABLE_GROW },
	{ "internal/runtime/maps.(*table).split", MS_BPF_TABLE_SPLIT },
};

struct ms_error *ms_growth_places_find(struct ms_go_runtime *rt,
				       struct ms_growth_places *ret_places)
{
	bool is_swiss = rt->layout->maps == MS_GO_MAPS_SWISS;
	const struct growth_function *names = is_swiss ? swiss : classic;
	size_t count = is_swiss ? MS_ARRAY_SIZE(swiss) : MS_ARRAY_SIZE(classic);
	struct ms_growth_places places = { 0 };
	const struct ms_functions *functions;
	struct ms_code *code = NULL;
	struct ms_error *err = ms_go_functions(rt, &functions);

	if (!err)
		err = ms_code_open(rt->elf.arch, &code);
	for (size_t i = 0; i < count && !err; i++) {
		const struct ms_function *fn = ms_functions_by_name(functions, names[i].name);
		struct ms_growth_place *place = &places.items[places.count];

		if (!fn)
			continue; // The linker left it out: no map of the program needs it.
		*place =
		    (struct ms_growth_place){ .kind = names[i].kind, .function = names[i].name };
		place->entry = fn->entry;
		err = ms_probe_place_find(rt, code, fn, &place->file_offset, &place->site);
		if (err)
			err = ms_error_wrap(err, "cannot probe %s", names[i].name);
		places.count++;
	}
	ms_code_close(code);
	if (err)
		return err;
	if (!places.count)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "the program has none of the runtime's growth functions");
	*ret_places = places;
	return NULL;
}

void ms_growth_config(const struct ms_go_runtime *rt, const struct ms_growth_places *places,
		      struct ms_bpf_config *ret_config)
{
	const struct ms_go_layout *l = rt->layout;
	struct ms_bpf_config config = {
		.window_ns = WINDOW_NS,
		.window_events = WINDOW_EVENTS,
		.g_goid = l->g_goid,
		.g_m = l->g_m,
		.g_gopc = l->g_gopc,
		.m_p = l->m_p,
		.p_id = l->p_id,
		.load = ms_classic_load_twice(l),
		.hmap_count = l->hmap_count,
		.hmap_flags = l->hmap_flags,
		.hmap_bucket_log2 = l->hmap_bucket_log2,
		.hmap_noverflow = l->hmap_noverflow,
		.hmap_buckets = l->hmap_buckets,
		.map_used = l->map_used,
		.map_dir_len = l->map_dir_len,
		.table_used = l->table_used,
		.table_capacity = l->table_capacity,
	};

	ms_probe_namespace(&config.pid_device, &config.pid_inode); // Else threads stay unknown.
	for (size_t i = 0; i < places->count; i++)
		config.condition[places->items[i].kind] = places->items[i].site.condition;
	*ret_config = config;
}
