// module.c - the module data is the one place that holds the address of the pclntab's header,
// followed by a slice of its name table, and a function table of one entry more than functions.
//
// It is looked for in live memory: in a position-independent program the file holds only
// relocations.  The linker puts it into .noptrdata, and since Go 1.26 into .go.module.
//
// Where the program is missing there is no such address: its headers say where its variables are.
#include "golang/module.h"

#include "base/cleanup.h"

#include <inttypes.h>

enum { SCAN_STEP = 1 << 20 };

static uint64_t word(const uint8_t *module, uint32_t offset)
{
	return ms_load_u64(module + offset);
}

static bool ordered(ms_addr start, ms_addr end)
{
	return start && start <= end && end - start <= MS_ELF_IMAGE_BYTES_MAX;
}

static bool module_parse(const struct ms_go_layout *l, const uint8_t *raw, ms_addr address,
			 struct ms_go_module *ret_module)
{
	struct ms_go_module m = {
		.address = address,
		.text = word(raw, l->module_text),
		.etext = word(raw, l->module_etext),
		.noptrdata = word(raw, l->module_noptrdata),
		.enoptrdata = word(raw, l->module_enoptrdata),
		.data = word(raw, l->module_data),
		.edata = word(raw, l->module_edata),
		.bss = word(raw, l->module_bss),
		.ebss = word(raw, l->module_ebss),
		.noptrbss = word(raw, l->module_noptrbss),
		.enoptrbss = word(raw, l->module_enoptrbss),
		.types = word(raw, l->module_types),
		.etypes = word(raw, l->module_etypes),
	};
	ms_addr minpc = word(raw, l->module_minpc), maxpc = word(raw, l->module_maxpc);

	if (!ordered(m.text, m.etext) || !ordered(m.noptrdata, m.enoptrdata) ||
	    !ordered(m.data, m.edata) || !ordered(m.bss, m.ebss) ||
	    !ordered(m.noptrbss, m.enoptrbss) || !ordered(m.types, m.etypes))
		return false;
	if (minpc < m.text || minpc >= maxpc || maxpc > m.etext || m.types == m.etypes)
		return false;
	*ret_module = m;
	return true;
}

/** Up to the last field that is looked at. */
static uint32_t module_bytes(const struct ms_go_layout *l)
{
	const uint32_t fields[] = {
		l->module_funcnametab, l->module_pclntable, l->module_ftab + 8,
		l->module_minpc,       l->module_maxpc,     l->module_text,
		l->module_etext,       l->module_noptrdata, l->module_enoptrdata,
		l->module_data,        l->module_edata,     l->module_bss,
		l->module_ebss,        l->module_noptrbss,  l->module_enoptrbss,
		l->module_types,       l->module_etypes,    l->module_next,
	};
	uint32_t last = 0;

	for (size_t i = 0; i < MS_ARRAY_SIZE(fields); i++)
		last = fields[i] > last ? fields[i] : last;
	return last + 8;
}

/** Whether the words at @p raw start the module data of this pclntab. */
static bool module_starts(const struct ms_go_runtime *rt, const uint8_t *raw)
{
	const struct ms_go_layout *l = rt->layout;
	ms_addr table = rt->elf.bias + rt->pclntab.vaddr;

	return word(raw, 0) == table &&
	       word(raw, l->module_funcnametab) == table + rt->pclntab.names_offset &&
	       word(raw, l->module_ftab + 8) == rt->pclntab.functions + 1 &&
	       word(raw, l->module_pclntable) > table;
}

static struct ms_error *region_scan(struct ms_go_runtime *rt, const struct ms_region *region,
				    struct ms_go_module *ret_module, bool *ret_found)
{
	MS_AUTO_FREE uint8_t *buf = malloc(SCAN_STEP);
	size_t need = module_bytes(rt->layout);
	ms_addr table = rt->elf.bias + rt->pclntab.vaddr;

	if (!buf)
		return ms_error_no_memory();
	for (ms_addr at = region->start; at + need <= region->end; at += SCAN_STEP - 4096) {
		size_t size = (size_t)ms_min_u64(SCAN_STEP, region->end - at);
		struct ms_error *err = ms_target_read(rt->target, at, buf, size);

		if (err && ms_error_code(err) == MS_ERR_FAULT) {
			ms_error_free(err);
			continue;
		}
		if (err)
			return err;
		for (size_t i = 0; i + need <= size; i += 8) {
			if (ms_load_u64(buf + i) != table || !module_starts(rt, buf + i) ||
			    !module_parse(rt->layout, buf + i, at + i, ret_module))
				continue;
			*ret_found = true;
			return NULL;
		}
	}
	return NULL;
}

static bool is_known(const struct ms_go_runtime *rt, ms_addr module)
{
	for (size_t i = 0; i < rt->module_count; i++) {
		if (rt->modules[i].address == module)
			return true;
	}
	return false;
}

/** Further modules (plugins) hang on the first one's list. */
static void modules_follow(struct ms_go_runtime *rt)
{
	uint8_t raw[1024];
	size_t size = module_bytes(rt->layout);

	while (rt->module_count < MS_GO_MODULES_MAX && size <= sizeof(raw)) {
		ms_addr next;
		struct ms_error *err = ms_target_read(
		    rt->target, rt->modules[rt->module_count - 1].address, raw, size);

		if (!err) {
			next = word(raw, rt->layout->module_next);
			if (!next || is_known(rt, next))
				return;
			err = ms_target_read(rt->target, next, raw, size);
		}
		if (err || !module_parse(rt->layout, raw, next, &rt->modules[rt->module_count])) {
			ms_error_free(err); // A plugin's data is a file we do not read.
			return;
		}
		rt->module_count++;
	}
}

/** Of the first module its data alone, where the headers put them. */
static struct ms_error *data_place(struct ms_go_runtime *rt)
{
	struct ms_go_module m = { 0 };

	for (size_t i = 0; i < rt->elf.segment_count; i++) {
		const struct ms_elf_segment *s = &rt->elf.segments[i];

		if (!(s->prot & MS_PROT_WRITE))
			continue;
		m.data = rt->elf.bias + s->vaddr;
		m.edata = m.bss = m.data + s->file_bytes;
		m.ebss = m.data + s->mem_bytes;
	}
	if (!ordered(m.data, m.ebss))
		return ms_error_new(MS_ERR_UNSUPPORTED, "its program has no data");
	rt->modules[0] = m;
	rt->module_count = 1;
	return NULL;
}

struct ms_error *ms_go_modules_find(struct ms_go_runtime *rt)
{
	bool found = false;

	if (rt->target->lacks_program)
		return data_place(rt);
	for (unsigned pass = 0; pass < 2 && !found; pass++) {
		unsigned wanted = pass == 0 ? MS_PROT_READ | MS_PROT_WRITE : MS_PROT_READ;
		uint64_t left = MS_ELF_IMAGE_BYTES_MAX;

		for (size_t i = 0; i < rt->regions.count && !found; i++) {
			const struct ms_region *r = &rt->regions.items[i];
			struct ms_error *err;

			if (r->kind != MS_REGION_EXE || r->prot != wanted ||
			    r->end - r->start > left)
				continue;
			left -= r->end - r->start;
			err = region_scan(rt, r, &rt->modules[0], &found);
			if (err)
				return err;
		}
	}
	if (!found)
		return ms_error_new(MS_ERR_UNSUPPORTED,
				    "layout check failed: module data expected in its data "
				    "segments with a pointer to the function table at 0x%" PRIx64
				    ", found none",
				    rt->elf.bias + rt->pclntab.vaddr);
	rt->module_count = 1;
	modules_follow(rt);
	return NULL;
}
