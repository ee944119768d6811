// symbols.c - libelf finds the table; the names are copied, because its memory ends with it.
#include "image/symbols.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <gelf.h>
#include <libelf.h>

enum { SYMBOLS_MAX = 8 << 20 };

static const uint64_t NAMES_BYTES_MAX = 512 << 20;

static void elf_endp(Elf **e)
{
	if (*e)
		elf_end(*e);
}

static int by_address(const void *a, const void *b)
{
	const struct ms_symbol *x = a, *y = b;

	if (x->vaddr != y->vaddr)
		return x->vaddr < y->vaddr ? -1 : 1;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes; // The last one is looked at.
}

/** The table and its names; false when there is none that can be read. */
static bool tables_find(Elf *e, Elf_Data **ret_table, Elf_Data **ret_names, size_t *ret_count)
{
	Elf_Scn *section = NULL;

	for (unsigned i = 0; i < MS_ELF_SECTIONS_MAX && (section = elf_nextscn(e, section)); i++) {
		GElf_Shdr header;
		Elf_Scn *names;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB ||
		    header.sh_entsize != sizeof(Elf64_Sym))
			continue;
		names = elf_getscn(e, header.sh_link);
		*ret_table = elf_getdata(section, NULL);
		*ret_names = names ? elf_getdata(names, NULL) : NULL;
		if (!*ret_table || !*ret_names || !(*ret_table)->d_buf || !(*ret_names)->d_buf ||
		    (*ret_names)->d_size > NAMES_BYTES_MAX)
			return false;
		*ret_count = (*ret_table)->d_size / sizeof(Elf64_Sym);
		return *ret_count <= SYMBOLS_MAX;
	}
	return false;
}

/** Names that the compiler makes up say nothing to a reader. */
static bool is_made_up(const char *name)
{
	return strstr(name, "..") || !strncmp(name, "go:", 3) || !strncmp(name, "type:", 5) ||
	       !strncmp(name, "go.", 3) || !strncmp(name, "type.", 5);
}

static struct ms_error *symbols_take(Elf *e, struct ms_symbols *symbols)
{
	Elf_Data *table, *names;
	size_t count = 0;

	if (!tables_find(e, &table, &names, &count))
		return NULL;
	symbols->names = malloc(names->d_size + 1);
	if (!symbols->names)
		return ms_error_no_memory();
	memcpy(symbols->names, names->d_buf, names->d_size);
	symbols->names[names->d_size] = 0;
	for (size_t i = 0; i < count; i++) {
		GElf_Sym s;

		if (!gelf_getsym(table, (int)i, &s) || GELF_ST_TYPE(s.st_info) != STT_OBJECT ||
		    !s.st_size || s.st_name >= names->d_size ||
		    is_made_up(symbols->names + s.st_name))
			continue;
		if (!ms_vec_push(symbols, { s.st_value, s.st_size, symbols->names + s.st_name }))
			return ms_error_no_memory();
	}
	if (symbols->count)
		qsort(symbols->items, symbols->count, sizeof(*symbols->items), by_address);
	return NULL;
}

struct ms_error *ms_symbols_load(struct ms_target *t, struct ms_symbols *ret_symbols)
{
	struct ms_symbols symbols = { 0 };
	struct ms_error *err = NULL;
	MS_CLEANUP(elf_endp) Elf *e = NULL;

	elf_version(EV_CURRENT);
	e = elf_begin(ms_target_exe_fd(t), ELF_C_READ, NULL);
	if (e)
		err = symbols_take(e, &symbols);
	if (err) {
		ms_symbols_deinit(&symbols);
		return err;
	}
	*ret_symbols = symbols;
	return NULL;
}

const struct ms_symbol *ms_symbols_find(const struct ms_symbols *symbols, uint64_t vaddr)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (symbols->items[middle].vaddr <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || vaddr - symbols->items[low - 1].vaddr >= symbols->items[low - 1].bytes)
		return NULL;
	return &symbols->items[low - 1];
}

void ms_symbols_deinit(struct ms_symbols *symbols)
{
	free(symbols->items);
	free(symbols->names);
	*symbols = (struct ms_symbols){ 0 };
}
