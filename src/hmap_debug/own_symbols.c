// own_symbols.c - functions and lines of this process, by libdw, from the files that it has mapped.
//
// libdw goes through a module's symbols for each address that it is asked for; a profile asks for
// thousands.  So the functions of a module are sorted once, when the first address in it comes.
#include "hmap_debug/parts.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct function {
	uint64_t start, end; // Equal: its size is not known.
	const char *name;
	int rank; // Of several at one place the highest is told.
};

struct module {
	Dwfl_Module *module;
	struct function *functions; // By start, then rank.
	size_t count;
};

struct hd_symbols {
	Dwfl *dwfl;
	struct module *modules;
	size_t module_count;
};

static char *debug_path; // The usual places.
static const Dwfl_Callbacks callbacks = { .find_elf = dwfl_linux_proc_find_elf,
					  .find_debuginfo = dwfl_standard_find_debuginfo,
					  .debuginfo_path = &debug_path };

struct hd_symbols *hd_symbols_open(void)
{
	struct hd_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->dwfl = dwfl_begin(&callbacks);
	if (s->dwfl && dwfl_linux_proc_report(s->dwfl, getpid()) == 0 &&
	    dwfl_report_end(s->dwfl, NULL, NULL) == 0)
		return s;
	hd_symbols_close(s);
	return NULL;
}

void hd_symbols_close(struct hd_symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->module_count; i++)
		free(s->modules[i].functions);
	free(s->modules);
	if (s->dwfl)
		dwfl_end(s->dwfl);
	free(s);
}

/** Whether a symbol is a function's; a global name is what others call it by. */
static bool function_of(Dwfl_Module *module, int number, struct function *ret_function)
{
	GElf_Sym symbol;
	GElf_Addr start;
	const char *name =
	    dwfl_module_getsym_info(module, number, &symbol, &start, NULL, NULL, NULL);
	int type = GELF_ST_TYPE(symbol.st_info);

	if (!name || !name[0] || symbol.st_shndx == SHN_UNDEF ||
	    (type != STT_FUNC && type != STT_GNU_IFUNC))
		return false;
	*ret_function = (struct function){ .start = start,
					   .end = start + symbol.st_size,
					   .name = name,
					   .rank = GELF_ST_BIND(symbol.st_info) };
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

/** NULL without memory. */
static const struct module *module_of(struct hd_symbols *s, Dwfl_Module *module)
{
	struct module *modules, *m;
	int symbols;

	for (size_t i = 0; i < s->module_count; i++)
		if (s->modules[i].module == module)
			return &s->modules[i];
	modules = realloc(s->modules, (s->module_count + 1) * sizeof(*modules));
	if (!modules)
		return NULL;
	s->modules = modules;
	m = &modules[s->module_count];
	symbols = dwfl_module_getsymtab(module);
	*m = (struct module){ .module = module };
	m->functions = calloc((size_t)(symbols > 0 ? symbols : 1), sizeof(*m->functions));
	if (!m->functions)
		return NULL;
	for (int i = 0; i < symbols; i++)
		m->count += function_of(module, i, &m->functions[m->count]);
	qsort(m->functions, m->count, sizeof(*m->functions), by_start);
	s->module_count++;
	return m;
}

static const char *name_at(const struct module *m, uint64_t address)
{
	size_t low = 0, high = m->count;
	const struct function *f;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->functions[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	f = low ? &m->functions[low - 1] : NULL;
	return f && (address < f->end || f->start == f->end) ? f->name : NULL;
}

const char *hd_symbols_at(struct hd_symbols *s, uint64_t address, const char **ret_file,
			  int *ret_line)
{
	Dwfl_Module *module = s ? dwfl_addrmodule(s->dwfl, address) : NULL;
	const struct module *m = module ? module_of(s, module) : NULL;
	Dwfl_Line *line = module ? dwfl_module_getsrc(module, address) : NULL;

	*ret_line = 0;
	*ret_file = line ? dwfl_lineinfo(line, NULL, ret_line, NULL, NULL, NULL) : NULL;
	return m ? name_at(m, address) : NULL;
}

void hd_symbols_text(const char *addresses, struct hd_text *text)
{
	struct hd_symbols *s = hd_symbols_open();
	char *end;

	hd_put(text, "num_symbols: 1\n");
	for (; *addresses; addresses = end + strspn(end, "+ \n")) {
		unsigned long long address = strtoull(addresses, &end, 16);
		const char *file, *name;
		int line;

		if (end == addresses)
			break;
		name = hd_symbols_at(s, address, &file, &line);
		if (name)
			hd_put(text, "0x%llx\t%s\n", address, name);
	}
	hd_symbols_close(s);
}
