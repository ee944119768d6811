// planted_root.c - see planted_root.h.
#include "tests/support/planted_root.h"

#include "base/cleanup.h"
#include "tests/support/test.h"

#include <ftw.h>
#include <sys/stat.h>

void planted_root_init(struct planted_root *root)
{
	snprintf(root->path, sizeof(root->path), "/tmp/mapscope-root-XXXXXX");
	CHECK(mkdtemp(root->path) != NULL);
}

void planted_root_file(const struct planted_root *root, const char *path, const char *text)
{
	MS_AUTO_FREE char *whole = NULL;

	CHECK(asprintf(&whole, "%s%s", root->path, path) > 0);
	for (char *slash = whole + strlen(root->path) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(whole, 0700);
		*slash = '/';
	}
	MS_AUTO_FCLOSE FILE *file = fopen(whole, "w");

	CHECK(file != NULL);
	CHECK(fputs(text, file) >= 0);
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void planted_root_deinit(struct planted_root *root)
{
	nftw(root->path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}
