// Goal: labels are source words: equal steps are one label, elements and stars are written once,
// and no program makes them long, many or wrong.
#include "walk/label.h"

#include "base/cleanup.h"
#include "tests/support/test.h"

#include <stdio.h>

static ms_label_text text(struct ms_labels *l, const char *s)
{
	return ms_labels_text(l, s, strlen(s));
}

/** Write it out, compare, and forget it. */
static void check_written(const struct ms_labels *l, ms_label label, const char *root,
			  const char *want)
{
	struct ms_arena arena = { 0 };
	const char *got = ms_label_write(l, label, root, &arena);

	CHECK(got != NULL);
	CHECK_STR(got, want);
	ms_arena_deinit(&arena);
}

static void check_nothing(const struct ms_labels *l, ms_label label)
{
	struct ms_arena arena = { 0 };

	CHECK(ms_label_write(l, label, "main.root", &arena) == NULL);
	ms_arena_deinit(&arena);
}

MS_TEST(label_of_the_same_steps_is_the_same)
{
	struct ms_labels l = { 0 };
	ms_label orders = ms_label_whole(&l, text(&l, "main.orders"));
	ms_label by_id = ms_label_field(&l, text(&l, "shop.Index"), text(&l, ".byID"));

	CHECK(orders && by_id && orders != by_id);
	CHECK_EQ(ms_label_whole(&l, text(&l, "main.orders")), orders);
	CHECK_EQ(ms_label_field(&l, text(&l, "shop.Index"), text(&l, ".byID")), by_id);
	CHECK_EQ(ms_label_extend(&l, orders, text(&l, ".x")),
		 ms_label_extend(&l, orders, text(&l, ".x")));
	CHECK(ms_label_extend(&l, orders, text(&l, ".x")) !=
	      ms_label_extend(&l, by_id, text(&l, ".x")));
	CHECK_EQ(ms_label_element(&l, orders), ms_label_element(&l, orders));
	CHECK_EQ(ms_label_pointee(&l, orders), ms_label_pointee(&l, orders));
	ms_labels_deinit(&l);
}

MS_TEST(label_steps_are_written_in_their_order)
{
	struct ms_labels l = { 0 };
	ms_label at = ms_label_whole(&l, text(&l, "main.shop"));

	check_written(&l, at, NULL, "main.shop");
	at = ms_label_extend(&l, at, text(&l, ".index"));
	check_written(&l, at, NULL, "main.shop.index");
	at = ms_label_extend(&l, ms_label_element(&l, at), text(&l, ".byID"));
	check_written(&l, at, NULL, "main.shop.index[].byID");
	CHECK_EQ(ms_label_extend(&l, at, 0), at);
	ms_labels_deinit(&l);
}

MS_TEST(label_of_an_element_of_an_element_is_written_once)
{
	struct ms_labels l = { 0 };
	ms_label holder = ms_label_whole(&l, text(&l, "main.grid"));
	ms_label element = ms_label_element(&l, holder);

	CHECK_EQ(ms_label_element(&l, element), element);
	check_written(&l, element, NULL, "main.grid[]");
	check_written(&l, ms_label_extend(&l, element, text(&l, "[].cells")), NULL,
		      "main.grid[].cells");
	holder = ms_label_extend(&l, holder, text(&l, ".rows[]"));
	check_written(&l, ms_label_element(&l, holder), NULL, "main.grid.rows[]");
	ms_labels_deinit(&l);
}

MS_TEST(label_of_a_pointee_has_one_star_and_only_on_variables)
{
	struct ms_labels l = { 0 };
	ms_label variable = ms_label_whole(&l, text(&l, "main.p"));
	ms_label field = ms_label_field(&l, text(&l, "shop.Index"), text(&l, ".p"));
	ms_label star = ms_label_pointee(&l, variable);

	check_written(&l, star, NULL, "*main.p");
	CHECK_EQ(ms_label_pointee(&l, field), field);
	CHECK_EQ(ms_label_pointee(&l, ms_label_element(&l, variable)),
		 ms_label_element(&l, variable));
	check_written(&l, ms_label_pointee(&l, ms_label_extend(&l, variable, text(&l, ".q"))), NULL,
		      "*main.p.q");
	check_written(&l, ms_label_pointee(&l, star), NULL, "*main.p");
	ms_labels_deinit(&l);
}

MS_TEST(label_names_its_root_only_behind_a_type)
{
	struct ms_labels l = { 0 };
	ms_label variable = ms_label_whole(&l, text(&l, "main.orders"));
	ms_label field = ms_label_field(&l, text(&l, "shop.Index"), text(&l, ".byID"));

	check_written(&l, variable, "main.orders", "main.orders");
	check_written(&l, field, NULL, "shop.Index.byID");
	check_written(&l, field, "main.shop", "shop.Index.byID <- main.shop");
	check_written(&l, ms_label_element(&l, field), "main.shop",
		      "shop.Index.byID[] <- main.shop");
	CHECK(ms_label_is_field(&l, ms_label_element(&l, field)));
	CHECK(!ms_label_is_field(&l, ms_label_element(&l, variable)));
	CHECK(!ms_label_is_field(&l, 0));
	ms_labels_deinit(&l);
}

MS_TEST(label_of_nothing_says_nothing)
{
	struct ms_labels l = { 0 };

	CHECK_EQ(ms_label_whole(&l, 0), 0);
	CHECK_EQ(ms_label_field(&l, 0, 0), 0);
	CHECK_EQ(ms_label_extend(&l, 0, 1), 0);
	CHECK_EQ(ms_label_element(&l, 0), 0);
	CHECK_EQ(ms_label_pointee(&l, 0), 0);
	CHECK_EQ(ms_label_element(&l, 12345), 0);
	CHECK_EQ(ms_label_pointee(&l, 12345), 12345); // As it is.
	check_nothing(&l, 0);
	check_nothing(&l, 12345);
	CHECK_EQ(ms_labels_text(&l, "x", 0), 0);
	CHECK_EQ(ms_labels_text(&l, "\0x", 2), 0);
	ms_labels_deinit(&l);
}

MS_TEST(label_texts_are_cut_at_their_bound)
{
	struct ms_labels l = { 0 };
	struct ms_arena arena = { 0 };
	char lots[3000];
	ms_label label;

	memset(lots, 'x', sizeof(lots));
	label = ms_label_whole(&l, ms_labels_text(&l, lots, sizeof(lots)));
	CHECK_EQ(ms_labels_text(&l, lots, 1000), ms_labels_text(&l, lots, sizeof(lots)));
	CHECK(ms_labels_text(&l, lots, 999) != ms_labels_text(&l, lots, 1000));
	CHECK_EQ(strlen(ms_label_write(&l, label, NULL, &arena)), 1000);
	for (unsigned i = 0; i < 5; i++)
		label = ms_label_extend(&l, label, ms_labels_text(&l, lots, 900 + i));
	CHECK(strlen(ms_label_write(&l, label, lots + 2900, &arena)) < 2000);
	label = ms_label_pointee(&l, label);
	CHECK(strlen(ms_label_write(&l, label, NULL, &arena)) < 2000);
	ms_arena_deinit(&arena);
	ms_labels_deinit(&l);
}

MS_TEST(label_that_goes_on_for_long_stands_still)
{
	struct ms_labels l = { 0 };
	ms_label at = ms_label_whole(&l, text(&l, "main.list")), last;
	unsigned steps = 0;

	do {
		last = at;
		at = ms_label_extend(&l, at, text(&l, ".next"));
		steps++;
	} while (at != last && steps < 1000);
	CHECK(steps > 4 && steps < 100);
	CHECK_EQ(ms_label_element(&l, at), at);
	CHECK(!ms_label_is_field(&l, at));
	CHECK(!l.cut);
	ms_labels_deinit(&l);
}

MS_TEST(labels_beyond_their_bound_are_nameless)
{
	struct ms_labels l = { 0 };
	ms_label first = ms_label_whole(&l, text(&l, "main.first"));
	char name[32];
	size_t made = 0;

	for (; made < 3 << 20 && !l.cut; made++) {
		int size = snprintf(name, sizeof(name), "main.v%zu", made);

		(void)ms_label_whole(&l, ms_labels_text(&l, name, (size_t)size));
	}
	CHECK(l.cut && !l.out_of_memory);
	CHECK(made > 1 << 19);
	CHECK_EQ(text(&l, "one too many"), 0);
	CHECK_EQ(ms_label_whole(&l, text(&l, "one too many")), 0);
	CHECK_EQ(ms_label_whole(&l, text(&l, "main.first")), first);
	check_written(&l, first, NULL, "main.first");
	ms_labels_deinit(&l);
}
