#!/bin/bash
# gdb.sh - Goal: what gdb says of a program's maps by hmap_gdb.py is what the program says itself, and
# what is damaged, freed or not there is said in a sentence.  Method: a program with maps of all kinds
# prints its own counts; they are held against gdb's on the process, on cores of both kinds, and
# without symbols.  Then bytes of registries and maps are damaged, in a core's file and in a process.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'kill $pids 2>/dev/null; rm -rf "$work"' EXIT
pids=
export LC_ALL=C.UTF-8

. tests/hmap/checks.sh

if ! command -v gdb >/dev/null || ! gdb -nx -batch -ex 'python print(1)' >/dev/null 2>&1; then
	skip "libhmap in gdb" "there is no gdb that has Python"
	checks_end
	exit
fi

install() {
	cmake -S src/hmap -B "$work/build" && cmake --build "$work/build" -- -j2 &&
		cmake --install "$work/build" --prefix "$work/usr"
}

compile() { # OUTPUT LIBRARY FLAG...
	local output=$1 library=$2
	shift 2
	gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 "$@" -Iinclude \
		tests/hmap/programs/gdb_program.c "$library" -o "$output" -pthread
}

start() { # NAME PROGRAM ARGUMENT...: $pid; what it says in $work/NAME.says
	local name=$1
	shift
	LD_LIBRARY_PATH=$work/usr/lib "$@" >"$work/$name.says" &
	pid=$!
	pids="$pids $pid"
	for _ in $(seq 100); do
		grep -q '^ready$' "$work/$name.says" && return
		sleep 0.1
	done
	return 1
}

# What a gdb says to its last words, in $work/out; it must not say that Python has failed.
ask() { # COMMAND... -- GDB_ARGUMENT...
	local commands=()
	while [ "$1" != -- ]; do
		commands+=(-ex "$1")
		shift
	done
	shift
	LD_LIBRARY_PATH=$work/usr/lib timeout 120 gdb -nx -batch -iex 'set debuginfod enabled off' "$@" \
		-ex 'source src/hmap/hmap_gdb.py' -ex 'set width 0' "${commands[@]}" >"$work/out" 2>&1
	sed '/^\[Inferior.*detached\]$/d' -i "$work/out"
	! grep -E 'Traceback|Error occurred in Python|Python Exception' "$work/out"
}

says() { # PATTERN: as a line
	grep -qE -- "$1" "$work/out" || { tail -n 20 "$work/out"; return 1; }
}

asks() { # PATTERN COMMAND... -- GDB_ARGUMENT...
	local pattern=$1
	shift
	ask "$@" && says "$pattern"
}

plain_numbers() {
	sed -E ':a; s/([0-9]),([0-9]{3})/\1\2/; ta'
}

# Each row that the program prints is one of hmap list, and there is no other.
lists() { # NAME GDB_ARGUMENT...
	local name=$1
	shift
	ask 'hmap list' -- "$@" || return
	grep '^0x' "$work/out" | plain_numbers | sed -E 's/  +/|/g' | sort >"$work/rows"
	diff <(sed -n 's/^row //p' "$work/$name.says" | sed 's/\x1b/\\x1b/' | sort) "$work/rows" &&
		says "^$(wc -l <"$work/rows") maps, " && ! says '^Note'
}

# The largest is the first one.
sorted() {
	grep '^0x' "$work/out" | plain_numbers | sed -E 's/  +/|/g' | cut -d'|' -f9 | sort -nrc
}

# What hmap chains finds of each map, as the program counts it.
fills() { # NAME GDB_ARGUMENT...
	local name=$1 address commands=()
	shift
	for address in $(sed -n 's/^fill \([^|]*\).*/\1/p' "$work/$name.says" | head -n 80); do
		commands+=("echo fill $address\\n" "hmap chains $address")
	done
	ask "${commands[@]}" -- "$@" || return
	plain_numbers <"$work/out" | awk '
		/^fill / { address = $2; runs = ""; mean = "0.0"; longest = 0; chains = "" }
		/^ *[0-9]+  +[0-9]+  / { runs = runs $1 ":" $2 " " }
		/^chains: / { chains = $2 " of " $4; if (NF > 6) { mean = $6; for (i = 7; i < NF; i++) if ($i ~ /average/) longest = $(i + 1) } }
		/^strays: / { strays = $2 }
		/^erased: / { strays = "" }
		/^met: .* as many/ { print "fill " address "|" runs "|" chains "|" mean "|" longest "|" $2 "|" strays }
	' >"$work/fills"
	diff <(grep '^fill' "$work/$name.says" | head -n 80) "$work/fills"
}

# hmap show goes through as many entries as there are.
shows_all() { # NAME GDB_ARGUMENT...
	local name=$1 address commands=('set print elements 0')
	shift
	for address in $(sed -n 's/^row \([^|]*\).*/\1/p' "$work/$name.says" | head -n 60); do
		commands+=("echo row $address\\n" "hmap show $address")
	done
	ask "${commands[@]}" -- "$@" || return
	diff <(sed -n 's/^row //p' "$work/$name.says" | head -n 60 |
		awk -F'|' '{ print $1, $5 > 10000 ? 10000 : $5 }') <(awk '
		/^row / { if (address) print address, n + 0; address = $2; n = 0 }
		/^\[/ { n++ }
		END { print address, n + 0 }' "$work/out")
}

copied_numbers() { # as the headers have them
	ask 'python
import re
for name, number in sorted(globals().items()):
    if re.match("HMAPI?_[A-Z]", name):
        print("HELD", name, number)
for struct_, members in LAYOUT.items():
    for member, place in members.items():
        print("HELD", struct_ + "." + member, *place)
' -- || return
}

# gdb takes Python of several lines from a file only.
held_names() {
	cat >"$work/held.py" <<-'PYTHON'
		import re
		for name, number in sorted(globals().items()):
		    if re.match('HMAPI?_[A-Z]', name):
		        print('HELD', name, number)
		for struct_, members in LAYOUT.items():
		    for member, place in members.items():
		        print('HELD', f'{struct_}.{member}', *place)
	PYTHON
	ask "source $work/held.py" -- && sed -n 's/^HELD //p' "$work/out" >"$work/held" && [ "$(wc -l <"$work/held")" -gt 90 ]
}

held() {
	{
		cat <<-'C'
			#include "hmap/classic.h"
			#include "hmap/safe.h"
			#include "hmap/space.h"
			#include <hmap/hmap_registry.h>
			#include <hmap/hmap_typed.h>
			#include <stdio.h>
			#define HELD(x) _Generic((x), char *: printf(#x " %s\n", (const char *)(uintptr_t)(x)), \
				default: printf(#x " %llu\n", (unsigned long long)(uintptr_t)(x)))
			#define MEMBER(s, m) printf(#s "." #m " %zu %zu\n", offsetof(struct s, m), sizeof(((struct s *)0)->m))
			int main(void)
			{
		C
		sed -nE 's/^(HMAP[A-Z_]*) .*/HELD(\1);/p; s/^([a-z_]+)\.([a-z_.]+) .*/MEMBER(\1, \2);/p' "$work/held"
		echo "return 0; }"
	} >"$work/held.c"
	gcc -std=gnu11 -D_GNU_SOURCE -Iinclude -Isrc "$work/held.c" -o "$work/held_program" &&
		diff <("$work/held_program") "$work/held"
}

check "libhmap is built and installed" install
check "the program is built" compile "$work/program" "$work/usr/lib/libhmap.a" -g
check "the program is built without symbols" compile "$work/stripped" "$work/usr/lib/libhmap.so" -s
check "the numbers that are copied can be listed" held_names
check "they are those of the headers" held

check "the program runs" start program "$work/program"
program=$pid
check "the one without symbols runs" start stripped "$work/stripped"
stripped=$pid
check "hmap list, of a process" lists program -p "$program"
check "the largest first" sorted
check "hmap chains, of a process" fills program -p "$program"
check "hmap show, of a process: all entries" shows_all program -p "$program"
check "hmap list, without symbols" lists stripped -p "$stripped"
check "hmap chains, without symbols" fills stripped -p "$stripped"
check "hmap show, without symbols" shows_all stripped -p "$stripped"
checks_end
