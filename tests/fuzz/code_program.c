// code_program.c - the file holds the table, the names and the text; memory the types and a page
// with the module's data.
#include "tests/fuzz/code_program.h"

static void module_set(struct code_program *p, size_t types, size_t text, size_t records)
{
	const struct ms_go_layout *l = p->rt->layout;
	const uint64_t words[] = { CODE_TABLE, records };

	p->rt->module_count = 1;
	p->rt->modules[0] = (struct ms_go_module){
		.address = CODE_MODULE,
		.text = CODE_TEXT,
		.etext = CODE_TEXT + text,
		.data = CODE_DATA,
		.edata = CODE_DATA + CODE_DATA_BYTES / 2,
		.bss = CODE_DATA + CODE_DATA_BYTES / 2,
		.ebss = CODE_DATA + CODE_DATA_BYTES,
		.types = CODE_TYPES,
		.etypes = CODE_TYPES + types,
	};
	if (l->module_pclntable <= sizeof(p->module) - sizeof(words))
		memcpy(p->module + l->module_pclntable, words, sizeof(words));
	fake_target_map(&p->fake, CODE_MODULE, p->module, sizeof(p->module), MS_REGION_ANON,
			MS_PROT_READ);
}

void code_program_open(struct code_program *p, const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size }, types, file;
	size_t records, names, functions;
	struct ms_go_runtime *rt = calloc(1, sizeof(*rt));

	FUZZ_CHECK(rt);
	memset(p, 0, sizeof(*p));
	p->rt = rt;
	fake_target_init(&p->fake);
	rt->target = &p->fake.target;
	rt->layout = fuzz_layout(&in);
	types.left = (size_t)fuzz_number(&in, 2);
	records = (size_t)fuzz_number(&in, 2);
	names = (size_t)fuzz_number(&in, 2);
	functions = (size_t)fuzz_number(&in, 2);
	types = fuzz_part(&in, types.left);
	file = in;
	records = fuzz_part(&in, records).left;
	names = fuzz_part(&in, names).left;
	rt->elf.arch = rt->layout->arch;
	rt->elf.segment_count = 3;
	rt->elf.segments[0] = (struct ms_elf_segment){ CODE_TABLE, 0, records + names,
						       records + names, MS_PROT_READ };
	rt->elf.segments[1] = (struct ms_elf_segment){ CODE_TEXT, records + names, in.left, in.left,
						       MS_PROT_READ | MS_PROT_EXEC };
	rt->elf.segments[2] = (struct ms_elf_segment){ CODE_TYPES, 0, 0, types.left, MS_PROT_READ };
	rt->pclntab =
	    (struct ms_pclntab){ .family = rt->layout->since < MS_GO(1, 20) ? MS_PCLNTAB_1_18
									    : MS_PCLNTAB_1_20,
				 .vaddr = CODE_TABLE,
				 .functions = functions,
				 .names_offset = records,
				 .names_bytes = names };
	module_set(p, types.left, in.left, records);
	if (types.left)
		fake_target_map_exe(&p->fake, CODE_TYPES, types.at, types.left, 0, MS_PROT_READ);
	if (file.left)
		fake_target_exe(&p->fake, file.at, file.left);
}

void code_program_close(struct code_program *p)
{
	ms_go_close(p->rt);
	fake_target_deinit(&p->fake);
}
