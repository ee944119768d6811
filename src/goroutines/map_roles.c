// map_roles.c - a table of the names that map code has had from Go 1.18 to 1.27.
//
// Classic maps are functions of package runtime with the type and the header in front.  Swiss maps
// are methods of Map, table and Iter in a package of their own, inlined into functions of the old
// names.  A function that only makes a map has no role: nobody else knows that map yet.
#include "goroutines/map_roles.h"

#include <string.h>

#define NONE MS_NO_ARGUMENT

struct rule {
	const char *front;
	bool is_whole; // The name is no longer than that.
	struct ms_map_function is;
};

#define TYPE_MAP(role)                                                                             \
	{                                                                                          \
		role, 0, 1, NONE, NONE                                                             \
	}
#define MAP_TYPE(role)                                                                             \
	{                                                                                          \
		role, 1, 0, NONE, NONE                                                             \
	}
#define TABLE_TYPE_MAP(role)                                                                       \
	{                                                                                          \
		role, 1, 2, NONE, NONE                                                             \
	}
#define ITERATOR                                                                                   \
	{                                                                                          \
		MS_ROLE_ITERATES, NONE, NONE, 0, NONE                                              \
	}
#define BEGINS_ITERATOR                                                                            \
	{                                                                                          \
		MS_ROLE_ITERATES, 0, 1, NONE, 2                                                    \
	}
#define NO_MAP(role)                                                                               \
	{                                                                                          \
		role, NONE, NONE, NONE, NONE                                                       \
	}

/** To add one: a row; tests/unit/map_roles_test.c knows the functions of every recording. */
static const struct rule runtime_rules[] = {
	{ "mapassign", false, TYPE_MAP(MS_ROLE_WRITES) },
	{ "mapdelete", false, TYPE_MAP(MS_ROLE_WRITES) },
	{ "mapclear", true, TYPE_MAP(MS_ROLE_WRITES) },
	{ "mapaccess", false, TYPE_MAP(MS_ROLE_READS) },
	{ "mapclone2", true, TYPE_MAP(MS_ROLE_READS) },
	{ "mapiterinit", true, BEGINS_ITERATOR },
	{ "mapIterStart", true, BEGINS_ITERATOR },
	{ "mapiternext", true, ITERATOR },
	{ "mapIterNext", true, ITERATOR },
	{ "hashGrow", true, TYPE_MAP(MS_ROLE_GROWS) },
	{ "growWork", false, TYPE_MAP(MS_ROLE_GROWS) },
	{ "evacuate", false, TYPE_MAP(MS_ROLE_GROWS) },
	{ "advanceEvacuationMark", true, NO_MAP(MS_ROLE_GROWS) },
	{ "(*hmap).newoverflow", true, MAP_TYPE(MS_ROLE_WRITES) },
	{ "(*hmap).incrnoverflow", true, NO_MAP(MS_ROLE_WRITES) },
};

static const struct rule reflect_rules[] = {
	{ "mapassign", false, TYPE_MAP(MS_ROLE_WRITES) },
	{ "mapdelete", false, TYPE_MAP(MS_ROLE_WRITES) },
	{ "mapclear", false, TYPE_MAP(MS_ROLE_WRITES) },
	{ "mapaccess", false, TYPE_MAP(MS_ROLE_READS) },
	{ "mapiterinit", false, BEGINS_ITERATOR },
	{ "mapIterStart", false, BEGINS_ITERATOR },
	{ "mapiternext", false, ITERATOR },
	{ "mapIterNext", false, ITERATOR },
};

static const struct rule swiss_rules[] = {
	{ "(*Map).growTo", false, MAP_TYPE(MS_ROLE_GROWS) },
	{ "(*Map).installTableSplit", true, NO_MAP(MS_ROLE_GROWS) },
	{ "(*Map).replaceTable", true, NO_MAP(MS_ROLE_GROWS) },
	{ "(*Map).put", false, MAP_TYPE(MS_ROLE_WRITES) },
	{ "(*Map).Put", false, MAP_TYPE(MS_ROLE_WRITES) },
	{ "(*Map).delete", false, MAP_TYPE(MS_ROLE_WRITES) },
	{ "(*Map).Delete", false, MAP_TYPE(MS_ROLE_WRITES) },
	{ "(*Map).clear", false, MAP_TYPE(MS_ROLE_WRITES) },
	{ "(*Map).Clear", false, MAP_TYPE(MS_ROLE_WRITES) },
	{ "(*Map).get", false, MAP_TYPE(MS_ROLE_READS) },
	{ "(*Map).Get", false, MAP_TYPE(MS_ROLE_READS) },
	{ "(*Map).Clone", true, MAP_TYPE(MS_ROLE_READS) },
	{ "(*table).grow", true, TABLE_TYPE_MAP(MS_ROLE_GROWS) },
	{ "(*table).split", true, TABLE_TYPE_MAP(MS_ROLE_GROWS) },
	{ "(*table).rehash", true, TABLE_TYPE_MAP(MS_ROLE_GROWS) },
	{ "(*table).PutSlot", false, TABLE_TYPE_MAP(MS_ROLE_WRITES) },
	{ "(*table).Delete", true, TABLE_TYPE_MAP(MS_ROLE_WRITES) },
	{ "(*table).pruneTombstones", true, TABLE_TYPE_MAP(MS_ROLE_WRITES) },
	{ "(*table).uncheckedPut", false, NO_MAP(MS_ROLE_WRITES) },
	{ "(*table).Clear", true, NO_MAP(MS_ROLE_WRITES) },
	{ "(*table).get", false, NO_MAP(MS_ROLE_READS) },
	{ "(*table).Get", false, NO_MAP(MS_ROLE_READS) },
	{ "(*table).clone", true, NO_MAP(MS_ROLE_READS) },
	{ "(*Iter).Init", true, TABLE_TYPE_MAP(MS_ROLE_ITERATES) },
	{ "(*Iter).", false, ITERATOR },
};

static const struct family {
	const char *front;
	const struct rule *rules;
	size_t count;
} families[] = {
	{ "runtime.", runtime_rules, MS_ARRAY_SIZE(runtime_rules) },
	{ "internal/runtime/maps.", swiss_rules, MS_ARRAY_SIZE(swiss_rules) },
	{ "reflect.", reflect_rules, MS_ARRAY_SIZE(reflect_rules) },
};

static bool begins(const char *text, const char *front)
{
	return !strncmp(text, front, strlen(front));
}

struct ms_map_function ms_map_function_of(const char *name)
{
	const struct ms_map_function none = { MS_ROLE_NONE, NONE, NONE, NONE, NONE };

	for (size_t i = 0; i < MS_ARRAY_SIZE(families); i++) {
		const struct family *f = &families[i];
		const char *rest = name + strlen(f->front);

		if (!begins(name, f->front))
			continue;
		for (size_t k = 0; k < f->count; k++) {
			const struct rule *r = &f->rules[k];

			if (r->is_whole ? !strcmp(rest, r->front) : begins(rest, r->front))
				return r->is;
		}
	}
	return none;
}

bool ms_map_function_makes(const char *name)
{
	static const char *const makers[] = {
		"runtime.makemap",           "runtime.makeBucketArray",   "runtime.mapclone",
		"internal/runtime/maps.New", "internal/runtime/maps.new", "maps.clone"
	};

	for (size_t i = 0; i < MS_ARRAY_SIZE(makers); i++) {
		if (begins(name, makers[i]))
			return true;
	}
	return false;
}

enum ms_map_role ms_map_role_stronger(enum ms_map_role a, enum ms_map_role b)
{
	static const uint8_t weight[] = {
		[MS_ROLE_NONE] = 0,     [MS_ROLE_WAITS] = 1,  [MS_ROLE_READS] = 2,
		[MS_ROLE_ITERATES] = 3, [MS_ROLE_WRITES] = 4, [MS_ROLE_GROWS] = 5,
	};

	return weight[b] > weight[a] ? b : a;
}
