#!/bin/bash
# headers.sh - each header compiles alone, so that no file has to include things in a lucky order.
#
# Left out are the kernel's side of a trace, which has no libc, and the header of what protoc-c makes
# at build time.
set -u
cd "$(dirname "$0")/../.." || exit 1
compile_alone() {
	echo "#include \"$1\"" | ${CC:-gcc} -x c -std=gnu17 -D_GNU_SOURCE -Isrc -Iinclude -I. -Wall \
		-Wextra -Werror -fsyntax-only - || { echo "$1 does not compile alone"; return 1; }
}
export -f compile_alone
find src include tests/support tests/fuzz -name '*.h' ! -path 'src/trace/bpf/vmlinux.h' \
	! -path 'src/trace/bpf/probed.h' ! -path 'src/render/profile.h' -print0 2>/dev/null |
	xargs -0 -n 1 -P "$(nproc)" bash -c 'compile_alone "$0"'
