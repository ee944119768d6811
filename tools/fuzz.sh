#!/bin/bash
# fuzz.sh TARGET SECONDS - fuzz one target, starting from its corpus.
#
# Inputs that reach new code are merged into tests/fuzz/corpus/TARGET only when MS_FUZZ_KEEP is
# set; an input that fails is left in the build directory and its path is printed.
set -eu
cd "$(dirname "$0")/.."
target=${1:?usage: fuzz.sh TARGET SECONDS}
seconds=${2:-60}
program=build-fuzz/fuzz-$target
corpus=tests/fuzz/corpus/$target
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "fuzz-$target" >/dev/null
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
"$program" "$found" "$corpus" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
	-malloc_limit_mb=300 -max_len=65536 -print_final_stats=1 -artifact_prefix="build-fuzz/$target-"
[ -z "${MS_FUZZ_KEEP:-}" ] || "$program" -merge=1 "$corpus" "$found"
