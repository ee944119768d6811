// input.c - taking the bytes of a fuzz input apart.
//
// A row is chosen by what it holds for and not by its number, so that a corpus keeps its meaning
// when rows are added.
#include "tests/fuzz/input.h"

uint64_t fuzz_number(struct fuzz_input *in, size_t size)
{
	struct fuzz_input part = fuzz_part(in, size);
	uint64_t number = 0;

	if (part.left)
		memcpy(&number, part.at, part.left);
	return number;
}

struct fuzz_input fuzz_part(struct fuzz_input *in, size_t size)
{
	struct fuzz_input part = { in->at, size < in->left ? size : in->left };

	in->at += part.left;
	in->left -= part.left;
	return part;
}

const struct ms_go_layout *fuzz_layout(struct fuzz_input *in)
{
	int minor = (int)fuzz_number(in, 1), patch = (int)fuzz_number(in, 1);
	unsigned arch = (unsigned)fuzz_number(in, 1), experiments = (unsigned)fuzz_number(in, 1);
	const struct ms_go_layout *row = ms_go_layout_find(
	    MS_GO_PATCH(1, minor, patch), arch ? MS_ARCH_ARM64 : MS_ARCH_AMD64, experiments);

	if (row)
		return row;
	return ms_go_layout_at(((unsigned)(minor + patch) + experiments) % ms_go_layout_count());
}

bool fuzz_worked(struct ms_error *err)
{
	if (!err)
		return true;
	FUZZ_CHECK(strlen(ms_error_message(err)) > 0);
	ms_error_free(err);
	return false;
}

uint8_t *fuzz_pages(const struct fuzz_input *part, size_t *ret_size)
{
	size_t size = (size_t)ms_round_up(part->left + 1, 4096);
	uint8_t *pages = calloc(1, size);

	FUZZ_CHECK(pages);
	if (part->left)
		memcpy(pages, part->at, part->left);
	*ret_size = size;
	return pages;
}
