// Goal: every function of the runtime on a map has its role, in every release; no other function
// has one.
// Method: the function tables of all recordings, held against the whole names written down here.
#include "goroutines/map_roles.h"

#include "golang/functions.h"
#include "tests/support/recordings.h"
#include "tests/support/test.h"

#define SWISS "internal/runtime/maps."

struct expected {
	const char *name;
	enum ms_map_role role;
};

static const struct expected expected[] = {
	{ SWISS "(*Iter).Init", MS_ROLE_ITERATES },
	{ SWISS "(*Iter).Next", MS_ROLE_ITERATES },
	{ SWISS "(*Iter).grownKeyElem", MS_ROLE_ITERATES },
	{ SWISS "(*Map).Clear", MS_ROLE_WRITES },
	{ SWISS "(*Map).Clone", MS_ROLE_READS },
	{ SWISS "(*Map).Delete", MS_ROLE_WRITES },
	{ SWISS "(*Map).Get", MS_ROLE_READS },
	{ SWISS "(*Map).Put", MS_ROLE_WRITES },
	{ SWISS "(*Map).PutSlot", MS_ROLE_WRITES },
	{ SWISS "(*Map).clearSmall", MS_ROLE_WRITES },
	{ SWISS "(*Map).deleteSmall", MS_ROLE_WRITES },
	{ SWISS "(*Map).getWithKey", MS_ROLE_READS },
	{ SWISS "(*Map).getWithKeySmall", MS_ROLE_READS },
	{ SWISS "(*Map).getWithoutKey", MS_ROLE_READS },
	{ SWISS "(*Map).getWithoutKeySmallFastStr", MS_ROLE_READS },
	{ SWISS "(*Map).growToSmall", MS_ROLE_GROWS },
	{ SWISS "(*Map).growToTable", MS_ROLE_GROWS },
	{ SWISS "(*Map).installTableSplit", MS_ROLE_GROWS },
	{ SWISS "(*Map).putSlotSmall", MS_ROLE_WRITES },
	{ SWISS "(*Map).putSlotSmallFast32", MS_ROLE_WRITES },
	{ SWISS "(*Map).putSlotSmallFast64", MS_ROLE_WRITES },
	{ SWISS "(*Map).putSlotSmallFastPtr", MS_ROLE_WRITES },
	{ SWISS "(*Map).putSlotSmallFastStr", MS_ROLE_WRITES },
	{ SWISS "(*table).Clear", MS_ROLE_WRITES },
	{ SWISS "(*table).Delete", MS_ROLE_WRITES },
	{ SWISS "(*table).PutSlot", MS_ROLE_WRITES },
	{ SWISS "(*table).clone", MS_ROLE_READS },
	{ SWISS "(*table).getWithKey", MS_ROLE_READS },
	{ SWISS "(*table).getWithoutKey", MS_ROLE_READS },
	{ SWISS "(*table).grow", MS_ROLE_GROWS },
	{ SWISS "(*table).pruneTombstones", MS_ROLE_WRITES },
	{ SWISS "(*table).rehash", MS_ROLE_GROWS },
	{ SWISS "(*table).split", MS_ROLE_GROWS },
	{ SWISS "(*table).uncheckedPutSlot", MS_ROLE_WRITES },
	{ SWISS "(*table).uncheckedPutSlotForAssign", MS_ROLE_WRITES },
	{ SWISS "(*table).uncheckedPutSlotForAssignFast32", MS_ROLE_WRITES },
	{ SWISS "(*table).uncheckedPutSlotForAssignFast64", MS_ROLE_WRITES },
	{ SWISS "(*table).uncheckedPutSlotForAssignFastPtr", MS_ROLE_WRITES },
	{ SWISS "(*table).uncheckedPutSlotForAssignFastStr", MS_ROLE_WRITES },
	{ "reflect.mapIterNext", MS_ROLE_ITERATES },
	{ "reflect.mapIterStart", MS_ROLE_ITERATES },
	{ "reflect.mapaccess", MS_ROLE_READS },
	{ "reflect.mapaccess_faststr", MS_ROLE_READS },
	{ "reflect.mapassign", MS_ROLE_WRITES },
	{ "reflect.mapassign0", MS_ROLE_WRITES },
	{ "reflect.mapassign_faststr", MS_ROLE_WRITES },
	{ "reflect.mapassign_faststr0", MS_ROLE_WRITES },
	{ "reflect.mapclear", MS_ROLE_WRITES },
	{ "reflect.mapdelete", MS_ROLE_WRITES },
	{ "reflect.mapdelete_faststr", MS_ROLE_WRITES },
	{ "reflect.mapiterinit", MS_ROLE_ITERATES },
	{ "reflect.mapiternext", MS_ROLE_ITERATES },
	{ "runtime.(*hmap).incrnoverflow", MS_ROLE_WRITES },
	{ "runtime.(*hmap).newoverflow", MS_ROLE_WRITES },
	{ "runtime.advanceEvacuationMark", MS_ROLE_GROWS },
	{ "runtime.evacuate", MS_ROLE_GROWS },
	{ "runtime.evacuate_fast32", MS_ROLE_GROWS },
	{ "runtime.evacuate_fast64", MS_ROLE_GROWS },
	{ "runtime.evacuate_faststr", MS_ROLE_GROWS },
	{ "runtime.growWork", MS_ROLE_GROWS },
	{ "runtime.growWork_fast32", MS_ROLE_GROWS },
	{ "runtime.growWork_fast64", MS_ROLE_GROWS },
	{ "runtime.growWork_faststr", MS_ROLE_GROWS },
	{ "runtime.hashGrow", MS_ROLE_GROWS },
	{ "runtime.mapIterNext", MS_ROLE_ITERATES },
	{ "runtime.mapIterStart", MS_ROLE_ITERATES },
	{ "runtime.mapaccess1", MS_ROLE_READS },
	{ "runtime.mapaccess1_fast32", MS_ROLE_READS },
	{ "runtime.mapaccess1_fast64", MS_ROLE_READS },
	{ "runtime.mapaccess1_faststr", MS_ROLE_READS },
	{ "runtime.mapaccess1_fat", MS_ROLE_READS },
	{ "runtime.mapaccess2", MS_ROLE_READS },
	{ "runtime.mapaccess2_fast32", MS_ROLE_READS },
	{ "runtime.mapaccess2_fast64", MS_ROLE_READS },
	{ "runtime.mapaccess2_faststr", MS_ROLE_READS },
	{ "runtime.mapaccess2_fat", MS_ROLE_READS },
	{ "runtime.mapaccessK", MS_ROLE_READS },
	{ "runtime.mapassign", MS_ROLE_WRITES },
	{ "runtime.mapassign_fast32", MS_ROLE_WRITES },
	{ "runtime.mapassign_fast32ptr", MS_ROLE_WRITES },
	{ "runtime.mapassign_fast64", MS_ROLE_WRITES },
	{ "runtime.mapassign_fast64ptr", MS_ROLE_WRITES },
	{ "runtime.mapassign_faststr", MS_ROLE_WRITES },
	{ "runtime.mapclear", MS_ROLE_WRITES },
	{ "runtime.mapclone2", MS_ROLE_READS },
	{ "runtime.mapdelete", MS_ROLE_WRITES },
	{ "runtime.mapdelete_fast32", MS_ROLE_WRITES },
	{ "runtime.mapdelete_fast64", MS_ROLE_WRITES },
	{ "runtime.mapdelete_faststr", MS_ROLE_WRITES },
	{ "runtime.mapiterinit", MS_ROLE_ITERATES },
	{ "runtime.mapiternext", MS_ROLE_ITERATES },
};

enum { CLASSIFIED_MIN = 25 }; // Functions on maps that any program of ours has.

static enum ms_map_role role_expected(const char *name)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(expected); i++) {
		if (!strcmp(expected[i].name, name))
			return expected[i].role;
	}
	return MS_ROLE_NONE;
}

static void check_functions(const struct ms_functions *functions, const char *recording)
{
	size_t classified = 0;

	for (size_t i = 0; i < functions->count; i++) {
		const char *name = functions->items[i].name;
		struct ms_map_function is = ms_map_function_of(name);

		if (is.role != role_expected(name))
			ms_test_fail(__FILE__, __LINE__, "%s of %s: role %d, not %d", name,
				     recording, is.role, role_expected(name));
		CHECK(is.role == MS_ROLE_NONE || functions->items[i].flags & MS_FUNCTION_RUNTIME);
		classified += is.role != MS_ROLE_NONE;
	}
	CHECK(classified >= CLASSIFIED_MIN);
}

MS_TEST(functions_on_maps_have_their_roles_in_every_release)
{
	struct recording_names names;

	recordings_list(&names);
	for (size_t i = 0; i < names.count; i++) {
		struct ms_target *t = recording_open(names.items[i]);
		const struct ms_functions *functions;
		struct ms_go_runtime *rt;

		CHECK_OK(ms_go_open(t, NULL, &rt));
		CHECK_OK(ms_go_functions(rt, &functions));
		check_functions(functions, names.items[i]);
		ms_go_close(rt);
		ms_target_destroy(t);
	}
}

MS_TEST(names_that_no_recording_has_have_their_roles)
{
	for (size_t i = 0; i < MS_ARRAY_SIZE(expected); i++)
		CHECK_EQ(ms_map_function_of(expected[i].name).role, expected[i].role);
	CHECK_EQ(ms_map_function_of("runtime.makemap").role, MS_ROLE_NONE);
	CHECK_EQ(ms_map_function_of("main.mapassign").role, MS_ROLE_NONE);
	CHECK_EQ(ms_map_function_of("runtime.mapclearing").role, MS_ROLE_NONE);
}

MS_TEST(of_two_roles_the_one_that_changes_more_is_told)
{
	CHECK_EQ(ms_map_role_stronger(MS_ROLE_WRITES, MS_ROLE_GROWS), MS_ROLE_GROWS);
	CHECK_EQ(ms_map_role_stronger(MS_ROLE_WRITES, MS_ROLE_ITERATES), MS_ROLE_WRITES);
	CHECK_EQ(ms_map_role_stronger(MS_ROLE_NONE, MS_ROLE_READS), MS_ROLE_READS);
}
