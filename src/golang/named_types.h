// named_types.h - the descriptor of a named type, by its package's path and its name.
#pragma once

#include "golang/types.h"

struct ms_named_types;

/** Index the named types of all type sections; the index borrows @p types. */
MS_MUST_USE struct ms_error *ms_named_types_create(const struct ms_types *types,
						   const struct ms_go_layout *layout,
						   struct ms_named_types **ret_named);

/**
 * The descriptor of the type @p name ("Registry") of the package @p package ("net/http"); 0 when
 * there is none, or several: a function may declare a type of the same name.
 */
ms_addr ms_named_types_find(const struct ms_named_types *named, const char *package,
			    size_t package_size, const char *name, size_t name_size);

/**
 * The type whose address the method @p name ("main.(*Registry).Get", as the linker wrote it) gets
 * first; 0 when the name is no such method's.
 */
ms_addr ms_named_types_receiver(const struct ms_named_types *named, const char *name);

/** Accepts NULL. */
void ms_named_types_destroy(struct ms_named_types *named);
