// code_facts.c - what a process's machine code says of its variables, and how long that takes.
//
//	code_facts PID [--list]
//
// Where the executable has debug information, it is asked which variables are maps: how many of
// these the code told, and how many it told wrongly; and what pointers and slices lead to, as far
// as there are maps.  With --list: each fact.
#include "golang/code_facts.h"

#include "base/cleanup.h"
#include "golang/globals.h"
#include "target/process.h"

#include <inttypes.h>
#include <time.h>

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fact_print(struct ms_go_runtime *rt, const struct ms_code_facts *facts,
		       const struct ms_code_global *g)
{
	static const char *const shapes[] = { "value", "pointer", "slice", "map", "chan" };
	struct ms_code_user users[MS_CODE_USERS_MAX];
	const char *name = "?";
	size_t size = 1, count, total = ms_code_users(facts, g->address, users, &count);

	ms_types_name(rt->types, rt->layout, g->type, &name, &size);
	printf("fact 0x%" PRIx64 " %s %.*s evidence %" PRIu32 " users %zu", g->address,
	       shapes[g->shape], (int)size, name, g->evidence, total);
	for (size_t i = 0; i < count; i++)
		printf(" 0x%" PRIx64 "%s", users[i].entry, users[i].writes ? "!" : "");
	printf("\n");
}

static void list(struct ms_go_runtime *rt, const struct ms_code_facts *facts)
{
	for (size_t i = 0; i < facts->globals.count; i++)
		fact_print(rt, facts, &facts->globals.items[i]);
	for (size_t i = 0; i < facts->closures.count; i++) {
		const char *name = "?";
		size_t size = 1;

		ms_types_name(rt->types, rt->layout, facts->closures.items[i].type, &name, &size);
		printf("closure 0x%" PRIx64 " %.*s\n", facts->closures.items[i].entry, (int)size,
		       name);
	}
}

static ms_addr type_word(const struct ms_go_runtime *rt, ms_addr type, uint32_t offset)
{
	const uint8_t *raw = ms_types_bytes(rt->types, type, offset + 8ull);

	return raw ? ms_load_u64(raw + offset) : 0;
}

/** Hold what the code says of maps against what DWARF says. */
static void compare(struct ms_go_runtime *rt, const struct ms_code_facts *facts,
		    const struct ms_go_globals *globals)
{
	size_t slots = 0, used = 0, right = 0, wrong = 0, elsewhere = 0;

	for (size_t i = 0; i < globals->slots.count; i++) {
		const struct ms_go_slot *slot = &globals->slots.items[i];
		const struct ms_code_global *g = ms_code_global_find(facts, slot->address);
		struct ms_code_user users[MS_CODE_USERS_MAX];
		size_t count;

		if (slot->pointer != MS_GO_NO_POINTER)
			continue;
		slots++;
		used += ms_code_users(facts, slot->address, users, &count) > 0;
		if (!g) {
			printf("missed %s 0x%" PRIx64 "\n", slot->owner, slot->address);
		} else if (g->shape == MS_CODE_VALUE) {
			elsewhere++; // Inside a variable whose whole type is known.
		} else if (g->shape == MS_CODE_MAP &&
			   (!slot->key ||
			    type_word(rt, g->type, rt->layout->maptype_key) == slot->key) &&
			   (!slot->elem ||
			    type_word(rt, g->type, rt->layout->maptype_elem) == slot->elem)) {
			right++;
		} else {
			wrong++;
			printf("wrong %s 0x%" PRIx64 "\n", slot->owner, slot->address);
		}
	}
	printf("maps by debug information %zu, referred to %zu, told %zu, in a value %zu, wrong "
	       "%zu\n",
	       slots, used, right, elsewhere, wrong);
}

/** Hold what the code says pointers and slices lead to against what DWARF says. */
static void compare_others(struct ms_go_runtime *rt, const struct ms_code_facts *facts,
			   const struct ms_go_globals *globals)
{
	size_t told = 0, differ = 0;

	for (size_t i = 0; i < globals->typed.count; i++) {
		const struct ms_go_typed *t = &globals->typed.items[i];
		const struct ms_code_global *g = ms_code_global_find(facts, t->address);
		bool is_pointer = t->shape == MS_GO_TYPED_POINTER;
		const char *a = "?", *b = "?";
		size_t a_size = 1, b_size = 1;

		if (!g || (!is_pointer && t->shape != MS_GO_TYPED_SLICE) ||
		    (g->shape != MS_CODE_POINTER && g->shape != MS_CODE_SLICE))
			continue;
		told++;
		if (g->type == t->type && (g->shape == MS_CODE_POINTER) == is_pointer)
			continue;
		differ++;
		ms_types_name(rt->types, rt->layout, t->type, &a, &a_size);
		ms_types_name(rt->types, rt->layout, g->type, &b, &b_size);
		printf("differs %s%s 0x%" PRIx64 " %s %.*s, told %s %.*s\n", t->variable, t->path,
		       t->address, is_pointer ? "pointer" : "slice", (int)a_size, a,
		       g->shape == MS_CODE_POINTER ? "pointer" : "slice", (int)b_size, b);
	}
	printf("pointers and slices told %zu, differently %zu\n", told, differ);
}

static struct ms_error *run(pid_t pid, bool all)
{
	const struct ms_go_globals *globals;
	const struct ms_code_facts *facts;
	struct ms_go_runtime *rt = NULL;
	struct ms_target *t = NULL;
	struct ms_error *err = ms_process_open(pid, NULL, &t);
	const struct ms_types *types;
	size_t maps = 0;
	double start;

	if (!err)
		err = ms_go_open(t, NULL, &rt);
	if (!err)
		err = ms_go_types(rt, &types);
	start = now_s();
	if (!err)
		err = ms_go_code_facts(rt, &facts);
	if (!err) {
		double took = now_s() - start;

		for (size_t i = 0; i < facts->globals.count; i++)
			maps += facts->globals.items[i].shape == MS_CODE_MAP;
		if (all)
			list(rt, facts);
		printf("globals %zu (maps %zu), closures %zu, conflicts %zu, doubtful %zu, "
		       "functions %zu, decoded %zu, references %zu, cut %d, %.3f s of processor "
		       "time\n",
		       facts->globals.count, maps, facts->closures.count, facts->conflicts,
		       facts->doubtful, facts->functions, facts->decoded, facts->references.count,
		       facts->cut, took);
		err = ms_go_globals_load(rt, &globals);
	}
	if (!err && globals->slots.count) {
		compare(rt, facts, globals);
		compare_others(rt, facts, globals);
	}
	ms_go_close(rt);
	ms_target_destroy(t);
	return err;
}

int main(int argc, char **argv)
{
	MS_AUTO_ERROR struct ms_error *err = NULL;

	if (argc < 2) {
		fprintf(stderr, "usage: code_facts PID [--list]\n");
		return 1;
	}
	err = run((pid_t)strtol(argv[1], NULL, 10), argc > 2);
	if (err)
		fprintf(stderr, "code_facts: %s\n", ms_error_message(err));
	return err ? 1 : 0;
}
