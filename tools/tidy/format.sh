#!/bin/bash
# format.sh - every C file is as .clang-format wants it; `make fmt` makes it so.
set -u
cd "$(dirname "$0")/../.." || exit 1
find src include tests tools bench examples -name '*.[ch]' -print0 2>/dev/null |
	xargs -0 clang-format-14 --dry-run -Werror 2>&1 | grep -E 'error:' | cut -d: -f1 | sort |
	uniq -c | awk '{ print $2 ": " $1 " places; make fmt"; bad = 1 } END { exit bad }'
