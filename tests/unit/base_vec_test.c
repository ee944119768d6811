// Goal: a vector keeps what was pushed through every growth and refuses sizes that overflow.
// Method: push past several growths, reserve impossible sizes.
#include "base/vec.h"
#include "tests/support/test.h"

struct number_vec {
	uint64_t *items;
	size_t count, capacity;
};

MS_TEST(vec_keeps_what_was_pushed)
{
	struct number_vec v = { 0 };

	for (uint64_t i = 0; i < 10000; i++)
		CHECK(ms_vec_push(&v, i * i));
	CHECK_EQ(v.count, 10000);
	CHECK(v.capacity >= v.count);
	for (uint64_t i = 0; i < 10000; i++)
		CHECK_EQ(v.items[i], i * i);
	ms_vec_free(&v);
	CHECK(!v.items);
	CHECK_EQ(v.count + v.capacity, 0);
}

MS_TEST(vec_reserve_grows_once_and_keeps_the_items)
{
	struct number_vec v = { 0 };
	uint64_t *items;

	CHECK(ms_vec_push(&v, 7u));
	CHECK(ms_vec_reserve(&v, 1000));
	items = v.items;
	CHECK(ms_vec_reserve(&v, 1000));
	CHECK(v.items == items);
	CHECK_EQ(v.items[0], 7);
	ms_vec_free(&v);
}

MS_TEST(vec_refuses_a_size_that_overflows)
{
	struct number_vec v = { 0 };

	CHECK(ms_vec_push(&v, 7u));
	CHECK(!ms_vec_reserve(&v, SIZE_MAX / 8 + 1));
	CHECK_EQ(v.items[0], 7);
	CHECK_EQ(v.count, 1);
	ms_vec_free(&v);
}
