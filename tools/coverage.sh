#!/bin/bash
# coverage.sh [FILE...] - the share of each file's lines that the unit tests and the fuzz corpora
# run; with --fuzz before the files, the corpora alone.
set -eu
cd "$(dirname "$0")/.."
programs=(mapscope-tests fuzz-regression)
if [ "${1:-}" = --fuzz ]; then
	programs=(fuzz-regression)
	shift
fi
cmake --preset coverage >/dev/null
cmake --build --preset coverage --target "${programs[@]}" >/dev/null
build=build-coverage
find "$build" -name '*.gcda' -delete
for program in "${programs[@]}"; do
	"$build/$program" | tail -n 1
done
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
