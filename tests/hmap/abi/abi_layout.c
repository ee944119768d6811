// Prints where the members lie that programs are built with: tests/hmap/packaging.sh compares it.
#include <hmap/hmap_safe.h>
#include <hmap/hmap_typed.h>
#include <stdio.h>

#define SIZE(type) printf("size %s %zu\n", #type, sizeof(type))
#define AT(type, member) printf("at %s.%s %zu\n", #type, #member, offsetof(type, member))

int main(void)
{
	SIZE(struct hmap_type);
	AT(struct hmap_type, flags);
	AT(struct hmap_type, hash);
	AT(struct hmap_type, state);
	SIZE(struct hmap_allocator);
	AT(struct hmap_allocator, populate);
	AT(struct hmap_allocator, state);
	SIZE(struct hmap_options);
	AT(struct hmap_options, shrink_idle);
	AT(struct hmap_options, allocator);
	AT(struct hmap_options, misuse_state);
	SIZE(struct hmap_hooks);
	SIZE(struct hmap_event);
	SIZE(struct hmap_misuse);
	SIZE(struct hmap_iterator);
	AT(struct hmap_iterator, status);
	SIZE(struct hmap_stats);
	AT(struct hmap_stats, longest_chain);
	SIZE(struct hmap_bucket_view);
	SIZE(struct hmap_shape);
	SIZE(struct hmap);
	AT(struct hmap, state);
	AT(struct hmap, groups);
	AT(struct hmap, shape);
	SIZE(struct hmap_iteration);
	SIZE(struct hmapi_code);
	SIZE(struct hmap_string);
	SIZE(struct hmap_safe_event);
	SIZE(struct hmap_safe_hooks);
	AT(struct hmap_safe_hooks, barrier);
	SIZE(struct hmap_safe_options);
	AT(struct hmap_safe_options, watermark);
	AT(struct hmap_safe_options, hooks);
	SIZE(struct hmap_safe_ref);
	SIZE(struct hmap_safe_stats);
	AT(struct hmap_safe_stats, frozen);
	return 0;
}
