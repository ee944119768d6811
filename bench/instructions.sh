#!/bin/bash
# instructions.sh [RELEASE...] - instructions that a census over a recording takes, by callgrind.
#
# Repeatable where times are not: the same build counts the same to a few in a million.  Reading
# itself is not in it, as a recording lies in our own memory.  Prints for each recording: maps,
# instructions to find and verify the runtime, instructions of the census.  libc's routines for
# machines with AVX-512 are switched off, as valgrind does not know them.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2_Usable

[ -d build ] || cmake --preset release >/dev/null
cmake --build --preset release --target replay_census >/dev/null

count() { # RECORDING FUNCTION
	valgrind --tool=callgrind --callgrind-out-file="$out/callgrind" --collect-atstart=no \
		--toggle-collect="$2" build/replay_census "$1" >"$out/maps" 2>"$out/said" ||
		{ cat "$out/said" >&2; exit 1; }
	sed -n 's/^==.*Collected : \([0-9]*\).*/\1/p' "$out/said"
}

printf '%-12s %8s %14s %14s\n' release maps open census
for release in "${@:-1.19.4}" $([ $# -gt 0 ] || echo 1.23.12 1.24.13 1.27.4); do
	recording=tests/golden/recordings/go$release.msrec
	open=$(count "$recording" ms_go_open)
	census=$(count "$recording" ms_census_run)
	printf '%-12s %8s %14s %14s\n' "$release" "$(sed 's/maps //' "$out/maps")" "$open" "$census"
done
