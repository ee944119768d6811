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
	for _ in $(seq 600); do
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

# The rows of a list, as the program prints them.
rows() {
	grep -E '^0x[0-9a-f]+  ' "$work/out" | plain_numbers | sed -E 's/  +/|/g'
}

# Each row that the program prints is one of hmap list, and there is no other.
lists() { # NAME GDB_ARGUMENT...
	local name=$1
	shift
	ask 'hmap list' -- "$@" || return
	rows | sort >"$work/rows"
	diff <(sed -n 's/^row //p' "$work/$name.says" | sed 's/\x1b/\\x1b/' | sort) "$work/rows" &&
		says "^$(wc -l <"$work/rows") maps, " && ! says '^Note'
}

# The largest is the first one.
sorted() {
	rows | cut -d'|' -f9 | sort -nrc
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
		/^chains: / {
			chains = $2 " of " $4
			if (NF > 6) {
				mean = $6
				longest = $(NF - 2)
			}
		}
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
		awk -F'|' '{ print $1, ($5 > 10000 ? 10000 : $5) }') <(awk '
		/^row / { if (address) print address, n + 0; address = $2; n = 0 }
		/^\[.*slot/ { n++ }
		END { print address, n + 0 }' "$work/out")
}

# Each name that hmap_gdb.py has copied, with its number, in $work/held.
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
if gdb -nx -batch -p "$program" 2>&1 | grep -q 'Operation not permitted'; then
	skip "maps in gdb" "gdb may not look into processes here"
	checks_end
	exit
fi
check "the one without symbols runs" start stripped "$work/stripped"
stripped=$pid
check "hmap list, of a process" lists program -p "$program"
check "the largest first" sorted
check "hmap chains, of a process" fills program -p "$program"
check "hmap show, of a process: all entries" shows_all program -p "$program"
check "hmap list, without symbols" lists stripped -p "$stripped"
check "hmap chains, without symbols" fills stripped -p "$stripped"
check "hmap show, without symbols" shows_all stripped -p "$stripped"

# --- What is shown of a map. ---

shapes_alone() {
	asks '^\[group [0-9]+, slot [0-9]+\] uint64_t \(8 bytes\) = struct session \(32 bytes\)$' \
		'hmap show sessions' -- -p "$program" && ! grep -E 'hunter2|\<10[0-9][0-9]\>' "$work/out"
}

# Keys of quiet are 0 to 4999, each with three times itself.
all_pairs() { # GDB_ARGUMENT...
	ask 'set print elements 0' 'hmap show -keys quiet' -- "$@" &&
		awk '/^\[group/ { if ($NF != 3 * $(NF - 2)) exit 1; seen[$(NF - 2)] = 1 }
			END { exit length(seen) != 5000 }' "$work/out"
}

raw_bytes() { # of what a program without debug information does not describe
	asks '\] 7 = ef030000 00000000 68756e74 65723200 ' 'hmap show -keys sessions' -- -p "$stripped"
}

texts() {
	local address
	address=$(sed -n 's/^row \([^|]*\)|?|words|steady.*/\1/p' "$work/program.says")
	ask 'set print elements 0' "hmap show -keys $address" "hmap show $address" -- -p "$program" &&
		[ "$(grep -oE '"word number [0-9]+" = [0-9]+$' "$work/out" | sort -u | wc -l)" = 700 ] &&
		says '\] text of 13 bytes = uint64_t \(8 bytes\)$'
}

limited() {
	ask 'set print elements 7' 'hmap show quiet' -- -p "$program" &&
		[ "$(grep -c '^\[group' "$work/out")" = 7 ] && says '^\.\.\. 7 of 5,000 entries'
}

no_symbol() {
	asks '^made  +before 0x[0-9a-f]+, where gdb knows no symbol$' 'hmap show quiet' -- -p "$stripped"
}

expressions() {
	ask 'hmap show live_sessions' 'hmap show *live_sessions' 'hmap show live_sessions->map' \
		'hmap show quiet->name' 'hmap show quiet' 'hmap show *quiet' 'hmap show (long)quiet' \
		'hmap show frozen' 'hmap show (void *)frozen' 'hmap show *frozen' -- -p "$program" || return
	[ "$(grep -c '^(struct hmap \*) 0x[0-9a-f]* sessions: 50 entries in 112 slots, steady$' "$work/out")" = 3 ] &&
		[ "$(grep -c '^(struct hmap \*) 0x[0-9a-f]* quiet: 5,000 entries' "$work/out")" = 3 ] &&
		[ "$(grep -c '^(struct hmap \*) 0x[0-9a-f]* frozen: 1,000 entries' "$work/out")" = 3 ]
}

of_classic() { # by the address of its other engine's map
	local address
	address=$(sed -n 's/^row \([^|]*\)|old pages|.*/\1/p' "$work/program.says")
	asks '^\(struct hmap \*\) 0x[0-9a-f]* old pages: 700 entries' \
		"hmap show ((struct hmap *)$address)->classic" -- -p "$program"
}

printed() {
	ask 'print live_sessions' 'print quiet' 'print *quiet' 'print iterator' 'print *live_sessions' \
		'print (struct hmap *)0' 'print (struct hmap *)&iterator' 'print/r quiet' -- -p "$program" &&
		says '^\$1 = \(struct sessions \*\) sessions: 50 entries in 112 slots, steady, at 0x' &&
		says '^\$2 = \(struct hmap \*\) quiet: 5,000 entries in 7,168 slots, steady, at 0x' &&
		says '^\$3 = quiet: 5,000 entries in 7,168 slots, steady$' &&
		says '^\$4 = at an entry of quiet: ' && says '^\$5 = \{map = sessions: 50 entries' &&
		says '^\$6 = \(struct hmap \*\) 0x0$' && says '^\$7 = \(struct hmap \*\) no map: freed, or not made yet' &&
		says '^\$8 = \(struct hmap \*\) 0x[0-9a-f]+$'
}

check "shapes alone, unless asked" shapes_alone
check "-keys: by their types" asks '\] 7 = \{user = 1007, secret = "hunter2"' 'hmap show -keys sessions' -- -p "$program"
check "-keys: each key with its value" all_pairs -p "$program"
check "-keys: bytes, where there is no type" raw_bytes
check "-keys: texts" texts
check "as many as print elements says" limited
check "where it was made" asks '^made  +in orders_of \+ [0-9]+ at .*gdb_program\.c:[0-9]+$' 'hmap show quiet' -- -p "$program"
check "where it was made, without symbols" no_symbol
check "by expression" expressions
check "by the address of a classic map" of_classic
check "pretty printers" printed

# --- What cannot be shown is said in a sentence. ---

check "no such name" asks '^No map is named nothing' 'hmap show nothing' -- -p "$program"
check "no such address" asks '^No map is at 0x1234: it was freed, or is not made yet\.$' 'hmap show 0x1234' -- -p "$program"
check "a name of many" asks '^300 maps have this name; choose by address: 0x' 'hmap show many' -- -p "$program"
check "no name" asks '^Which map\?' 'hmap chains' -- -p "$program"
check "an argument too many" asks '^There is no argument' 'hmap list quiet' -- -p "$program"
check "no process" asks '^There is no process, and no core\.$' 'hmap list' --
check "a program that does not run" asks '^There is no process, and no core\.$' 'hmap list' -- "$work/program"
no_libhmap() {
	echo 'int main(void) { return 0; }' | gcc -x c - -o "$work/other" &&
		asks '^Nothing here uses libhmap: ' 'break main' 'run' 'hmap list' -- "$work/other" &&
		[ "$(grep -c libhmap "$work/out")" = 1 ]
}
check "a program without libhmap" no_libhmap
no_map() {
	asks '^0 maps, 0 entries, 0 bytes$' 'break main' 'run' 'hmap list' -- "$work/program"
}
check "a program that has not made a map yet" no_map

# --- Cores. ---

cores() {
	ask "generate-core-file $work/core" -- -p "$program" && ask "generate-core-file $work/stripped.core" -- -p "$stripped" &&
		[ -s "$work/core" ] && [ -s "$work/stripped.core" ]
}
check "cores are written" cores
check "hmap list, of a core" lists program "$work/program" "$work/core"
check "hmap list, of a core alone" lists program -c "$work/core"
check "hmap chains, of a core" fills program "$work/program" "$work/core"
check "hmap show, of a core" all_pairs "$work/program" "$work/core"
check "hmap list, of a core without symbols" lists stripped "$work/stripped" "$work/stripped.core"
check "hmap chains, of a core without symbols" fills stripped "$work/stripped" "$work/stripped.core"
if command -v gcore >/dev/null; then
	gcore_of() {
		gcore -o "$work/gcore" "$program" && lists program "$work/program" "$work/gcore.$program"
	}
	check "hmap list, of gcore's" gcore_of
else
	skip "hmap list, of gcore's" "no gcore"
fi

small() {
	start large "$work/program" large && ask "generate-core-file $work/large" -- -p "$pid" &&
		[ "$(stat -c %s "$work/large")" -lt 32000000 ] || { ls -l "$work"; return 1; }
}
check "addresses that are only reserved are not in a core" small
check "hmap list, of such a core" lists large "$work/program" "$work/large"
check "hmap chains, of such a core" fills large "$work/program" "$work/large"
large_pairs() {
	ask 'set print elements 0' 'hmap show -keys large' -- "$work/program" "$work/large" &&
		awk '/^\[group/ { if ($NF != 3 * $(NF - 2)) exit 1; seen[$(NF - 2)] = 1 }
			END { exit length(seen) != 10000 }' "$work/out"
}
check "entries of such a core" large_pairs

interrupted() { # in the middle of a walk, of which there is always one
	printf 'echo begins\\n\nwhile 1\nhmap chains large\nend\n' >"$work/walks"
	LD_LIBRARY_PATH=$work/usr/lib gdb -nx -batch "$work/program" "$work/large" \
		-ex 'source src/hmap/hmap_gdb.py' -ex "source $work/walks" -ex 'echo goes on\n' >"$work/out" 2>&1 &
	local debugger=$!
	pids="$pids $debugger"
	for _ in $(seq 200); do
		grep -q '^met: ' "$work/out" && break
		sleep 0.1
	done
	kill -INT "$debugger"
	for _ in $(seq 200); do
		grep -q '^goes on$' "$work/out" && break
		sleep 0.1
	done
	says '^goes on$' && ! grep -E 'Traceback|Error occurred in Python' "$work/out"
}
no_mappings() { # the core's note of what is mapped is another one now
	cp "$work/stripped.core" "$work/damaged.core" &&
		python3 - "$work/damaged.core" <<-'PYTHON' &&
			import sys
			data = open(sys.argv[1], 'rb').read()
			assert data.count(b'ELIFCORE\0') == 1
			open(sys.argv[1], 'wb').write(data.replace(b'ELIFCORE\0', b'ELIXCORE\0'))
		PYTHON
		lists stripped "$work/stripped" "$work/damaged.core"
}
check "hmap list, of a core that does not say what is mapped" no_mappings
check "^C ends a walk, and gdb goes on" interrupted

# --- Damage. ---

# The registry's place in a core's file: its mark is once in the program's data.
damaged() { # PATTERN OFFSET BYTES: in the registry
	cp "$work/stripped.core" "$work/damaged.core" &&
		python3 - "$work/damaged.core" "$2" "$3" <<-'PYTHON' &&
			import struct, sys
			data = bytearray(open(sys.argv[1], 'rb').read())
			at = -1
			while True:
			    at = data.index(b'libhmap registry', at + 1)
			    if data[at + 16:at + 20] == b'\1\0\0\0' and data[at + 24:at + 29] == b'0.1.0':
			        break
			new = bytes.fromhex(sys.argv[3])
			data[at + int(sys.argv[2]):at + int(sys.argv[2]) + len(new)] = new
			open(sys.argv[1], 'wb').write(data)
		PYTHON
		asks "$1" 'hmap list' -- "$work/stripped" "$work/damaged.core" &&
		[ "$(grep -cE 'damage|version|cannot|changed' "$work/out")" -ge 1 ]
}
check "damage: its mark" damaged '^The registry at 0x[0-9a-f]+ is damaged: it does not begin with its mark\.$' 0 00ff
check "damage: its version" damaged '^The registry at 0x[0-9a-f]+ is of version 513' 16 0102
check "damage: its size" damaged 'is damaged: its sizes cannot be\.$' 20 ffffffff
check "damage: how many members" damaged 'is damaged: its sizes cannot be\.$' 116 ffffffff
check "damage: its members" damaged 'is damaged: its members cannot be\.$' 328 ffffffff
check "damage: how many places" damaged '^Note: the registry at .* which is damage' 88 ffffffffffff
check "damage: where its places are" damaged '^Note: the memory at 0x12345678 cannot be read\.$' 120 7856341200000000
check "a list that is being changed" damaged '^Note: the list of maps was being changed just now' 40 01
other_version() {
	damaged '.' 40 00 >/dev/null 2>&1
	python3 - "$work/damaged.core" <<-'PYTHON' &&
		import re, sys
		data = open(sys.argv[1], 'rb').read()
		data = re.sub(rb'(libhmap registry.{8})0\.1\.0', rb'\g<1>0.9.0', data, flags=re.S)
		open(sys.argv[1], 'wb').write(data)
	PYTHON
		ask 'hmap list' 'hmap chains quiet' -- "$work/stripped" "$work/damaged.core" &&
		says '  quiet  ' && says '^The tables of libhmap 0\.9\.0 are not known here'
}
check "another version is listed, and its tables are not walked" other_version
check "a word at a time, in a process" asks ' rounds, 0 wrong$' 'source tests/hmap/programs/gdb_damage.py' -- -p "$program"

# --- By itself. ---

by_itself() {
	cd "$work" || return
	LD_LIBRARY_PATH=$work/usr/lib gdb -nx -batch -iex "add-auto-load-scripts-directory $work/usr/share/gdb/auto-load" \
		-iex "add-auto-load-safe-path $work/usr/share" -p "$stripped" -ex 'hmap list' >"$work/out" 2>&1
	says ' maps, '
}
check "gdb loads it by itself for the library" by_itself
check "it stands in the share folder" test -s "$work/usr/share/hmap/hmap_gdb.py"
checks_end
