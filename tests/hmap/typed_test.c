// Goal: every kind of typed map does what its generic twin does.
// Method: one of each, through the calls that its macro makes.
#include "tests/support/test.h"

#include <hmap/hmap_typed.h>
#include <math.h>
#include <stdio.h>

struct order {
	uint64_t id;
	char note[200];
};

HMAP_DEFINE(orders, uint32_t, struct order)
HMAP_DEFINE_SET(colours, uint16_t)
HMAP_DEFINE_STRINGS(words, int)
HMAP_DEFINE_OWN_STRINGS(names, int)
HMAP_DEFINE_WITH(measures, double, int, hmap_hash_double, hmap_equal_doubles, HMAP_IRREFLEXIVE)

MS_TEST(typed_large_values)
{
	struct orders *m = NULL, *copy = NULL;
	struct order order = { 7, "seven" }, *found = NULL;
	bool added = false;

	CHECK_EQ(orders_create(NULL, &m), HMAP_OK);
	for (uint32_t i = 0; i < 5000; i++) {
		order.id = i;
		CHECK_EQ(orders_put(m, i, order), HMAP_OK);
	}
	CHECK_EQ(orders_get_or_put(m, 5, order, &found, &added), HMAP_OK);
	CHECK(!added && found->id == 5);
	CHECK_EQ(orders_clone(m, &copy), HMAP_OK);
	CHECK_EQ(orders_erase(m, 6), HMAP_OK);
	CHECK(!orders_get(m, 6));
	CHECK_EQ(orders_get(copy, 6)->id, 6);
	CHECK_STR(orders_get(copy, 6)->note, "seven");
	orders_destroy(m);
	orders_destroy(copy);
}

MS_TEST(typed_sets)
{
	struct colours *m = NULL;
	struct hmap_iterator it;
	const uint16_t *key;
	void *nothing;
	size_t seen = 0;

	CHECK_EQ(colours_create(NULL, &m), HMAP_OK);
	for (unsigned i = 0; i < 65536; i += 3)
		CHECK_EQ(colours_add(m, (uint16_t)i), HMAP_OK);
	for (unsigned i = 0; i < 65536; i++)
		CHECK_EQ(colours_has(m, (uint16_t)i), i % 3 == 0);
	for (colours_iterate(m, &it); colours_next(&it, &key, &nothing); seen++)
		CHECK_EQ(*key % 3, 0);
	CHECK_EQ(seen, colours_count(m));
	colours_destroy(m);
}

MS_TEST(typed_strings)
{
	struct words *w = NULL;
	struct names *n = NULL;
	char text[4096];
	static char kept[3000][16];

	CHECK_EQ(words_create(NULL, &w), HMAP_OK);
	CHECK_EQ(names_create(NULL, &n), HMAP_OK);
	for (int i = 0; i < 3000; i++) {
		int length = snprintf(kept[i], sizeof(kept[i]), "usr:%d", i);

		CHECK_EQ(words_put(w, kept[i], (size_t)length, i), HMAP_OK);
		memset(text, 'a' + i % 26, sizeof(text));
		length = snprintf(text, sizeof(text), "%d", i);
		text[length] = '-';
		CHECK_EQ(names_put(n, text, (size_t)i + 5, i), HMAP_OK);
	}
	for (int i = 0; i < 3000; i++) {
		int length = snprintf(text, sizeof(text), "usr:%d", i);

		CHECK_EQ(*words_get(w, text, (size_t)length), i);
		CHECK(!words_get(w, text, (size_t)length - 1) || i >= 10);
		memset(text, 'a' + i % 26, sizeof(text));
		length = snprintf(text, sizeof(text), "%d", i);
		text[length] = '-';
		CHECK_EQ(*names_get(n, text, (size_t)i + 5), i);
		if (i % 2)
			CHECK_EQ(names_erase(n, text, (size_t)i + 5), HMAP_OK);
	}
	CHECK_EQ(names_count(n), 1500);
	CHECK_EQ(names_put(n, "", 0, 5), HMAP_OK);
	CHECK_EQ(*names_get(n, "", 0), 5);
	words_destroy(w);
	names_destroy(n);
}

MS_TEST(typed_doubles_as_in_go)
{
	struct measures *m = NULL, *copy = NULL;
	struct hmap_iterator it;
	const double *key;
	int *value, added = 0, *found = NULL;
	size_t seen = 0;
	bool was_new;

	CHECK_EQ(measures_create(NULL, &m), HMAP_OK);
	CHECK_EQ(measures_put(m, 0.0, 1), HMAP_OK);
	CHECK_EQ(measures_put(m, -0.0, 2), HMAP_OK);
	CHECK_EQ(measures_count(m), 1);
	CHECK_EQ(*measures_get(m, 0.0), 2);
	for (added = 0; added < 2000; added++)
		CHECK_EQ(measures_put(m, NAN, added), HMAP_OK);
	CHECK_EQ(measures_get_or_put(m, NAN, 5, &found, &was_new), HMAP_OK);
	CHECK(was_new);
	CHECK_EQ(*found, 5);
	CHECK(!measures_get(m, NAN));
	CHECK_EQ(measures_erase(m, NAN), HMAP_NOT_FOUND);
	CHECK_EQ(measures_count(m), 2002);
	// Growth under the iteration: NaNs are not looked up again, and yet each is seen once.
	for (measures_iterate(m, &it); measures_next(&it, &key, &value); seen++)
		if (seen < 1000)
			CHECK_EQ(measures_put(m, 1 + (double)seen, 0), HMAP_OK);
	CHECK(seen >= 2002 && seen <= 3002);
	CHECK_EQ(measures_clone(m, &copy), HMAP_OK);
	CHECK_EQ(measures_count(copy), measures_count(m));
	CHECK_EQ(hmap_check(&copy->map, NULL), HMAP_OK);
	CHECK_EQ(measures_clear(m), HMAP_OK);
	CHECK_EQ(measures_count(m), 0);
	measures_destroy(m);
	measures_destroy(copy);
}
