// names.c - what variables, closures and stacks are called.
//
// A variable is called by its symbol where there is one.  In a stripped program it has no name
// left: then it is its address and the functions that refer to it, those that write to it first.
#include "walk/walk_internal.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	NAME_BYTES_MAX = 480,
	FUNCTION_BYTES_MAX = 150,
	VARIABLE_BYTES_MAX = 4 << 10, // From its beginning to what is named by it.
};

/**
 * Where the variable that @p address lies in begins: where code refers to, there or before.  That
 * may be another variable, when code reaches this one in no other way than by data: so what is not
 * referred to itself is only said to be near.
 */
static ms_addr variable_at(const struct ms_walk *w, ms_addr address)
{
	const struct ms_code_references *r = w->facts ? &w->facts->references : NULL;
	size_t low = 0, high = r ? r->count : 0;
	uint64_t offset;

	if (!r || address < w->facts->data || address - w->facts->data > UINT32_MAX)
		return address;
	offset = address - w->facts->data;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ms_code_reference_offset(r->items[middle]) <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || offset - ms_code_reference_offset(r->items[low - 1]) > VARIABLE_BYTES_MAX)
		return address;
	return w->facts->data + ms_code_reference_offset(r->items[low - 1]);
}

static const char *name_nameless(struct ms_walk *w, ms_addr address)
{
	struct ms_code_user users[MS_CODE_USERS_MAX];
	char text[NAME_BYTES_MAX + 64], function[FUNCTION_BYTES_MAX];
	ms_addr asked = address;
	size_t count = 0, size;
	ms_label_text kept;
	bool is_near;

	address = variable_at(w, address);
	is_near = address != asked;
	if (w->nameless.address == address && w->nameless.is_near == is_near && w->nameless.name)
		return w->nameless.name; // Words are met in the order in which they lie.
	if (!w->facts || !ms_code_users(w->facts, address, users, &count) || !count)
		return NULL;
	size = (size_t)snprintf(text, sizeof(text), "%sglobal 0x%" PRIx64, is_near ? "near " : "",
				address);
	for (size_t i = 0; i < count && size < NAME_BYTES_MAX; i++) {
		const struct ms_function *f =
		    w->functions ? ms_functions_find(w->functions, users[i].entry) : NULL;

		if (!f)
			continue;
		ms_function_name_print(f->name, function, sizeof(function));
		size += (size_t)snprintf(text + size, sizeof(text) - size, "%s%s",
					 strchr(text, '(') ? ", " : " (", function);
	}
	if (size < sizeof(text) - 1 && strchr(text, '('))
		snprintf(text + size, sizeof(text) - size, ")");
	kept = ms_labels_text(&w->labels, text, strlen(text));
	w->nameless.address = address;
	w->nameless.is_near = is_near;
	w->nameless.name = kept ? w->labels.texts[kept] : NULL;
	return w->nameless.name;
}

uint32_t ms_walk_name_variable(struct ms_walk *w, ms_addr address, ms_label *ret_label)
{
	const struct ms_symbol *s = ms_symbols_find(&w->symbols, address - w->rt->elf.bias);
	const char *name = s ? s->name : name_nameless(w, address);

	*ret_label = 0;
	if (!name)
		return 0;
	*ret_label = ms_label_whole(&w->labels, ms_labels_text(&w->labels, name, strlen(name)));
	return ms_walk_root(w, name);
}

ms_label ms_walk_name_closure(struct ms_walk *w, ms_addr entry)
{
	const struct ms_function *f = w->functions ? ms_functions_find(w->functions, entry) : NULL;
	char text[FUNCTION_BYTES_MAX];

	if (!f || f->entry != entry)
		return 0;
	ms_function_name_print(f->name, text, sizeof(text));
	return ms_label_field(&w->labels, ms_labels_text(&w->labels, text, strlen(text)), 0);
}

ms_label ms_walk_name_stack(struct ms_walk *w, const struct ms_function *function)
{
	char text[FUNCTION_BYTES_MAX + 16] = "stack of ";
	size_t size = strlen(text);

	if (function)
		ms_function_name_print(function->name, text + size, sizeof(text) - size);
	else
		snprintf(text + size, sizeof(text) - size, "a goroutine");
	return ms_label_whole(&w->labels, ms_labels_text(&w->labels, text, strlen(text)));
}
