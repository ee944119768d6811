#!/bin/bash
# packaging.sh [--accept] - Goal: libhmap as users get it.  Method: it is built alone and installed into
# an empty folder; the examples are built against it by pkg-config, by CMake's find_package and against
# the amalgamation, run, and held against what they should print; what it exports and how its public
# structs lie is held against tests/hmap/abi/abi.txt, which --accept writes anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
examples=$PWD/examples/small/hmap

. tests/hmap/checks.sh

install() {
	cmake -S src/hmap -B "$work/build" && cmake --build "$work/build" --parallel 2 &&
		cmake --install "$work/build" --prefix "$work/usr"
}

prints() { # PROGRAM NAME
	diff <(echo "a b a c a" | LD_LIBRARY_PATH="$work/usr/lib" timeout 60 "$1" 2>&1) "$examples/$2.expected"
}

# compile OUTPUT SOURCE FLAGS...
compile() {
	local output=$1 source=$2
	shift 2
	case $source in
	*.cpp) g++ -std=c++11 -Wall -Wextra -Werror -O1 "$source" -o "$output" "$@" ;;
	*) gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -O1 "$source" -o "$output" "$@" ;;
	esac
}

exported() {
	nm -D --defined-only "$work/usr/lib/libhmap.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print "exports " $3 }' | sort
	compile "$work/abi" tests/hmap/abi/abi_layout.c -I"$work/usr/include" && "$work/abi"
}

declared() { # what the headers declare, as the version map must list it
	sed 's:/\*.*\*/::' "$work"/usr/include/hmap/*.h | tr '\n' ' ' |
		grep -oE 'HMAP_API [^;({]*\(' | grep -oE 'hmapi?_[a-z0-9_]+ *\($' | tr -d ' (' | sort -u
}

needs_libc_alone() {
	[ "$(readelf -d "$work/usr/lib/libhmap.so" | grep -c NEEDED)" = 1 ] &&
		readelf -d "$work/usr/lib/libhmap.so" | grep NEEDED | grep -q 'libc\.'
}

find_package() {
	mkdir -p "$work/user" && cp "$examples"/*.c "$examples"/*.cpp "$work/user" &&
		cat >"$work/user/CMakeLists.txt" <<-'END'
			cmake_minimum_required(VERSION 3.25)
			project(user LANGUAGES C CXX)
			find_package(hmap 0.1 REQUIRED)
			add_executable(words words.c)
			target_compile_definitions(words PRIVATE _GNU_SOURCE)
			target_link_libraries(words PRIVATE hmap::hmap)
			add_executable(graph graph.cpp)
			target_link_libraries(graph PRIVATE hmap::hmap_static)
		END
	cmake -S "$work/user" -B "$work/user/build" -DCMAKE_PREFIX_PATH="$work/usr" &&
		cmake --build "$work/user/build" && prints "$work/user/build/words" words &&
		prints "$work/user/build/graph" graph
}

amalgamation() { # COMPILER STANDARD
	"$1" "-std=$2" -Wall -Wextra -Werror -O2 -c "$work/one/hmap.c" -o "$work/one/hmap.o"
}

check "builds alone and installs" install
export PKG_CONFIG_PATH=$work/usr/lib/pkgconfig
check "links nothing but libc" needs_libc_alone
check "exports what its headers declare" diff <(declared) <(exported | sed -n 's/^exports \(hmap\)/\1/p')
if [ "${1:-}" = --accept ]; then
	exported >tests/hmap/abi/abi.txt
fi
check "its ABI is the accepted one (--accept to change it)" diff <(exported) tests/hmap/abi/abi.txt
read -ra flags <<<"$(pkg-config --cflags --libs hmap)"
for source in "$examples"/*.c "$examples"/*.cpp; do
	name=$(basename "${source%.*}")
	check "example $name compiles" compile "$work/$name" "$source" "${flags[@]}" -pthread
	check "example $name prints what it should" prints "$work/$name" "$name"
	check "example $name has at most 60 lines" test "$(wc -l <"$source")" -le 60
done
check "found by CMake" find_package
check "one-file form is made" tools/hmap-amalgamate.py "$work/one"
mkdir -p "$work/one/hmap"
for header in hmap hmap_typed hmap_hash; do
	echo '#include "../hmap.h"' >"$work/one/hmap/$header.h"
done
check "one-file form compiles" amalgamation gcc c11
if command -v clang-14 >/dev/null; then
	check "one-file form compiles with clang" amalgamation clang-14 c11
else
	skip "one-file form compiles with clang" "no clang"
fi
check "one-file form compiles with gcc's own C" amalgamation gcc gnu17
check "one-file form is the same each time" bash -c "tools/hmap-amalgamate.py '$work/two' &&
	diff '$work/one/hmap.c' '$work/two/hmap.c' && diff '$work/one/hmap.h' '$work/two/hmap.h'"
for name in words expire graph; do
	source=$(ls "$examples/$name".*[cp])
	check "one-file form runs $name" compile "$work/one/$name" "$source" -I"$work/one" \
		"$work/one/hmap.o" -pthread
	check "one-file form prints what $name should" prints "$work/one/$name" "$name"
done
checks_end
