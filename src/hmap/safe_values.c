// The values of a safe map: what is copied out, and the immutable versions of copy-on-write.
#include "hmap/safe.h"

static uint32_t align_of_version(const struct hmap_type *t)
{
	uint32_t align = hmapi_align_of(t->value_size, t->value_align);

	return align > 16 ? align : 16;
}

void *hmapi_value_of_version(const struct hmapi_version *v)
{
	return (unsigned char *)(uintptr_t)v +
	       hmapi_round_up(sizeof(*v), align_of_version(v->type));
}

size_t hmapi_size_of_version(const struct hmap_type *t)
{
	return hmapi_round_up(sizeof(struct hmapi_version), align_of_version(t)) +
	       (size_t)t->value_size;
}

/** Of a value, a deep copy where there is a way to make one; false: no memory. */
bool hmapi_copy_value(const struct hmap_type *t, void *to, const void *from)
{
	if (from && t->value_copy && t->value_size)
		return t->value_copy(to, from, t->state);
	if (from)
		memcpy(to, from, t->value_size);
	else
		memset(to, 0, t->value_size);
	return true;
}

void hmapi_hold_version(struct hmapi_version *v)
{
	__atomic_fetch_add(&v->references, 1, __ATOMIC_RELAXED);
}

void hmapi_drop_version(struct hmapi_version *v)
{
	const struct hmap_allocator *a;

	if (!v || __atomic_sub_fetch(&v->references, 1, __ATOMIC_ACQ_REL))
		return;
	a = v->allocator;
	if (v->type->value_destroy && v->type->value_size)
		v->type->value_destroy(hmapi_value_of_version(v), v->type->state);
	a->release(a->state, v, hmapi_size_of_version(v->type), align_of_version(v->type));
}

/** The table's way to give back what it holds. */
static void drop_held(void *object, void *state)
{
	struct hmapi_version *v;

	(void)state;
	memcpy(&v, object, sizeof(v));
	hmapi_drop_version(v);
}

struct hmapi_version *hmapi_new_version(const struct hmap_safe *s, const void *value)
{
	const struct hmap_allocator *a = s->allocator;
	size_t size = hmapi_size_of_version(s->type), align = align_of_version(s->type);
	struct hmapi_version *v = a->allocate(a->state, size, align);

	if (!v)
		return NULL;
	*v = (struct hmapi_version){ s->type, a, 1, s->version + 1 };
	if (hmapi_copy_value(s->type, hmapi_value_of_version(v), value))
		return v;
	a->release(a->state, v, size, align);
	return NULL;
}

/** The version of @p key in the table; NULL: it is not there. */
struct hmapi_version *hmapi_version_of(const struct hmap_safe *s, const void *key)
{
	const void *held = hmap_get(s->map, key);
	struct hmapi_version *v = NULL;

	if (held)
		memcpy(&v, held, sizeof(v));
	return v;
}

/** The caller's value behind one of the table. */
const void *hmapi_value_of(const struct hmap_safe *s, const void *held)
{
	struct hmapi_version *v;

	if (!held || !s->copies_on_write)
		return held;
	memcpy(&v, held, sizeof(v));
	return hmapi_value_of_version(v);
}

/** The type of a table whose values are versions. */
struct hmap_type hmapi_type_of_versions(const struct hmap_type *type)
{
	struct hmap_type kept = *type;

	kept.value_name = "struct hmapi_version *";
	kept.value_size = sizeof(struct hmapi_version *);
	kept.value_align = 0;
	kept.value_copy = NULL;
	kept.value_destroy = drop_held;
	return kept;
}
