#!/bin/bash
# matrix.sh [check|long] - Goal: libhmap does the same on other machines, under other compilers and
# options.  Method: its tests are built for each and run, foreign ones under qemu-user; its headers are
# compiled as C++.  A line each; what this machine cannot build is skipped and named.
set -u
cd "$(dirname "$0")/../.." || exit 1
tier=${1:-check}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
sources=(src/hmap/*.c tests/hmap/*.c tests/support/test.c src/base/*.c)

cell() { # NAME RUNNER COMPILER FLAGS...
	local name=$1 runner=$2 compiler=$3 start=$SECONDS
	shift 3
	if ! command -v "$compiler" >/dev/null || { [ -n "$runner" ] && ! command -v "${runner%% *}" >/dev/null; }; then
		skipped=$((skipped + 1))
		echo "SKIP $name: $compiler or ${runner:-nothing} is not installed"
		return
	fi
	if ! echo 'int main(void){return 0;}' | "$compiler" "$@" -x c - -o "$work/probe" 2>/dev/null; then
		skipped=$((skipped + 1))
		echo "SKIP $name: $compiler has no libraries for ${*: -1}"
		return
	fi
	# shellcheck disable=SC2086 # a runner may have options
	if "$compiler" -std=gnu11 -D_GNU_SOURCE -DMS_TEST_ROOT="\"$PWD\"" -DMS_VERSION='"0"' -w -I. -Iinclude -Isrc "$@" \
		"${sources[@]}" -o "$work/tests" -lm -pthread >"$work/log" 2>&1 &&
		$runner "$work/tests" --timeout 600 >"$work/log" 2>&1; then
		passed=$((passed + 1))
		echo "$name: $(tail -n 1 "$work/log"), $((SECONDS - start)) s"
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		grep -A 8 '^FAIL' "$work/log" | head -n 40
		tail -n 5 "$work/log"
	fi
}

headers() { # COMPILER STANDARD
	if ! command -v "$1" >/dev/null; then
		skipped=$((skipped + 1))
		echo "SKIP headers as $2: $1 is not installed"
		return
	fi
	cat >"$work/headers.cpp" <<-'END'
		#include <hmap/hmap_typed.h>
		#include <hmap/hmap_classic.h>
		#include <hmap/hmap_layout.h>
		HMAP_DEFINE(a, uint64_t, int)
		HMAP_DEFINE_SET(b, unsigned char)
		HMAP_DEFINE_STRINGS(c, double)
		HMAP_DEFINE_OWN_STRINGS(d, int)
		int main() { return 0; }
	END
	if "$1" "-std=$2" -Wall -Wextra -Wconversion -Werror -Iinclude -fsyntax-only "$work/headers.cpp" 2>"$work/log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL headers as $2 with $1"
		head -n 20 "$work/log"
	fi
}

for standard in c++11 c++17 c++20; do
	headers g++ $standard
	headers clang++-14 $standard
done
cell "no SIMD" "" gcc -O2 -DHMAP_NO_SIMD
if [ "$tier" = long ]; then
	cell "gcc -O0" "" gcc -O0
	cell "gcc -O3 -march=native" "" gcc -O3 -march=native
	cell "clang -O2" "" clang-14 -O2
	cell "clang, thread sanitizer" "" clang-14 -O1 -g -fsanitize=thread
	cell "clang, memory sanitizer" "" clang-14 -O1 -g -fsanitize=memory -fno-omit-frame-pointer
	cell "32 bits" "" gcc -O2 -idirafter /usr/include/x86_64-linux-gnu -m32
	cell "big-endian" "qemu-s390x -L /usr/s390x-linux-gnu" s390x-linux-gnu-gcc -O2
	cell "arm64" "qemu-aarch64 -L /usr/aarch64-linux-gnu" aarch64-linux-gnu-gcc -O2
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
