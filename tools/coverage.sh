#!/bin/bash
# coverage.sh [FILE...] - the share of each file's lines that the unit tests and the fuzz corpora
# run; with --fuzz before the files, the corpora alone.
set -eu
cd "$(dirname "$0")/.."
only_fuzz=no
if [ "${1:-}" = --fuzz ]; then
	only_fuzz=yes
	shift
fi
cmake --preset coverage >/dev/null
cmake --build --preset coverage >/dev/null
build=build-coverage
find "$build" -name '*.gcda' -delete
[ $only_fuzz = yes ] || "$build/mapscope-tests" | tail -n 1
[ ! -x "$build/fuzz-regression" ] || "$build/fuzz-regression" | tail -n 1
find "$build" -path '*/src/*' -name '*.gcda' -print0 |
	xargs -0 llvm-cov-14 gcov -n 2>/dev/null |
	awk -v root="$PWD/" -v wanted="$*" '
		/^File / { file = $2; gsub("\047", "", file); sub(root, "", file) }
		/^Lines executed/ && file ~ /^src\/.*\.c$/ {
			split($2, part, ":")
			if (wanted == "" || index(" " wanted " ", " " file " "))
				printf "%6s of %4d lines  %s\n", part[2], $4, file
			file = ""
		}' | sort -k5
