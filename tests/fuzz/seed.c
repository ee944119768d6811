// seed.c - bytes, and an ELF file around them:
//
//	ELF header | program headers | sections, 16-aligned | section names | section headers
#include "tests/fuzz/seed.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>

void seed_fill(struct seed *s, size_t size)
{
	if (size > SEED_BYTES_MAX) {
		fprintf(stderr, "a seed of more than %d bytes\n", SEED_BYTES_MAX);
		abort();
	}
	if (size > s->size)
		s->size = size;
}

void seed_align(struct seed *s, size_t alignment)
{
	seed_fill(s, ms_round_up(s->size, alignment));
}

void seed_bytes(struct seed *s, const void *bytes, size_t size)
{
	size_t at = s->size;

	seed_fill(s, at + size);
	if (size)
		memcpy(s->bytes + at, bytes, size);
}

void seed_number(struct seed *s, uint64_t number, size_t size)
{
	seed_bytes(s, &number, size);
}

void seed_text(struct seed *s, const char *text)
{
	seed_bytes(s, text, strlen(text));
}

void seed_string(struct seed *s, const char *text)
{
	seed_bytes(s, text, strlen(text) + 1);
}

void seed_number_at(struct seed *s, size_t at, uint64_t number, size_t size)
{
	seed_fill(s, at + size);
	memcpy(s->bytes + at, &number, size);
}

// --- ELF. ---

static size_t segment_count(const struct seed_section *sections, size_t count)
{
	size_t segments = 0;

	for (size_t i = 0; i < count; i++)
		segments += sections[i].vaddr != 0;
	return segments;
}

static void headers(struct seed *s, const Elf64_Ehdr *ehdr, const struct seed_section *sections,
		    size_t count)
{
	uint64_t at = sizeof(*ehdr) + ehdr->e_phnum * sizeof(Elf64_Phdr);

	seed_bytes(s, ehdr, sizeof(*ehdr));
	for (size_t i = 0; i < count; i++) {
		const struct seed_section *x = &sections[i];
		Elf64_Phdr p = { .p_type = PT_LOAD,
				 .p_flags = x->prot,
				 .p_offset = ms_round_up(at, 16),
				 .p_vaddr = x->vaddr,
				 .p_filesz = x->size,
				 .p_memsz = x->size,
				 .p_align = 16 };

		at = p.p_offset + x->size;
		if (x->vaddr)
			seed_bytes(s, &p, sizeof(p));
	}
}

void seed_elf(struct seed *s, unsigned machine, unsigned ehdr_type,
	      const struct seed_section *sections, size_t count)
{
	struct seed *names = calloc(1, sizeof(*names)), *table = calloc(1, sizeof(*table));
	Elf64_Ehdr ehdr = { .e_ident = ELFMAG,
			    .e_type = (Elf64_Half)ehdr_type,
			    .e_machine = (Elf64_Half)machine,
			    .e_version = EV_CURRENT,
			    .e_phoff = sizeof(ehdr),
			    .e_ehsize = sizeof(ehdr),
			    .e_phentsize = sizeof(Elf64_Phdr),
			    .e_phnum = (Elf64_Half)segment_count(sections, count),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = (Elf64_Half)(count + 2),
			    .e_shstrndx = (Elf64_Half)(count + 1) };
	Elf64_Shdr sh = { 0 };

	if (!names || !table)
		abort();
	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	headers(s, &ehdr, sections, count);
	seed_string(names, "");
	seed_bytes(table, &sh, sizeof(sh));
	for (size_t i = 0; i < count; i++) {
		seed_align(s, 16);
		sh = (Elf64_Shdr){ .sh_name = (Elf64_Word)names->size,
				   .sh_type = sections[i].type,
				   .sh_addr = sections[i].vaddr,
				   .sh_offset = s->size,
				   .sh_size = sections[i].size };
		seed_bytes(table, &sh, sizeof(sh));
		seed_string(names, sections[i].name);
		seed_bytes(s, sections[i].bytes, sections[i].size);
	}
	sh = (Elf64_Shdr){ .sh_name = (Elf64_Word)names->size, .sh_type = SHT_STRTAB };
	seed_string(names, ".shstrtab");
	sh.sh_offset = s->size;
	sh.sh_size = names->size;
	seed_bytes(table, &sh, sizeof(sh));
	seed_bytes(s, names->bytes, names->size);
	seed_align(s, 16);
	seed_number_at(s, offsetof(Elf64_Ehdr, e_shoff), s->size, 8);
	seed_bytes(s, table->bytes, table->size);
	free(names);
	free(table);
}
