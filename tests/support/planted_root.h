// planted_root.h - a folder of files that stands for /, for what reads /proc and /sys.
#pragma once

struct planted_root {
	char path[64];
};

/** An empty one. */
void planted_root_init(struct planted_root *root);

/** Write a file, with the folders above it. */
void planted_root_file(const struct planted_root *root, const char *path, const char *text);

/** Remove it with all that is in it. */
void planted_root_deinit(struct planted_root *root);
