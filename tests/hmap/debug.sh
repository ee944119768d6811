#!/bin/bash
# debug.sh - Goal: HMAP_DEBUG does what its words say, and says which it does not know.
# Method: a program of several threads that counts its maps' events itself is run with each word; its
# lines are held against its counts, its endpoints are read by curl, promtool and go tool pprof.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'touch "$work/end"; wait; rm -rf "$work"' EXIT
export LSAN_OPTIONS=detect_leaks=0 # What a library that is never unloaded keeps.

. tests/hmap/checks.sh

# An own build without sanitizers: a program that has them cannot load a library that has not.
release() {
	cmake -S . -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DMS_BPF=OFF \
		-DBUILD_TESTING=OFF && cmake --build "$work/build" --target hmap hmap_debug -- -j2
}

program() {
	gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -g -Iinclude \
		tests/hmap/programs/debug_program.c "$work/build/libhmap.a" -o "$work/program" -pthread
}

run() { # WORDS ARGUMENT...: stderr of it in $work/err, stdout in $work/out
	local words=$1
	shift
	HMAP_DEBUG=$words LD_LIBRARY_PATH=$work/build "$work/program" "$@" >"$work/out" 2>"$work/err"
}

count() { # NAME: of the program's own counts
	sed -n "s/.*$1 \([0-9]*\).*/\1/p" "$work/out"
}

has() { # LINES PATTERN
	[ "$(grep -cE "$2" "$work/err")" = "$1" ] || { grep -nE "$2" "$work/err" | head -3; return 1; }
}

check "libhmap and libhmap-debug are built" release
check "the program is built" program

# --- Traces. ---

go_lines() {
	run maptrace=1 1 70 &&
		has 1 '^map\[0x[0-9a-f]+ or"ders\?\] created with hint 52 \(bucket shift: 3\)$' &&
		has 1 'grows from 8 to 16 buckets \(load factor: 6\.5/8 → 3\.3/8\)$' &&
		has 1 'bucket migration: bkt#3 → bkt#11 \([0-9]+ keys? moved\)$' &&
		has 2 '\] freed with 70 entries in [0-9]+ buckets?$'
}

all_lines() { # LEVEL: no line is torn, and there are as many as events
	run "maptrace=$1" 16 5000 || return 1
	local torn
	torn=$(grep -cvE '^map\[0x[0-9a-f]+ or"ders\?\] (created with hint [0-9]+ \([^()]*(\([^()]*\))?[^()]*\)|grows from .* \(load factor: [0-9.]+/8 → [0-9.]+/8\)|bucket migration: bkt#[0-9]+ → bkt#[0-9]+ \([0-9]+ keys? moved\)|has grown to .*|tidies up .*|freed with 5000 entries in [0-9]+ buckets)$' "$work/err")
	[ "$torn" = 0 ] || { grep -vE 'grows|migration|created|grown|freed' "$work/err" | head -3; return 1; }
	has "$(count grows)" 'grows from'
}

moves_add_up() { # the keys that went to the new half are what is there
	[ "$(count migrates)" = "$(grep -c migration "$work/err")" ]
}

check "lines in Go's words" go_lines
check "16 writers: no torn line, a line for each growth" all_lines 1
check "16 writers: a line for each bucket" moves_add_up
check "level 2: the same without buckets" all_lines 2
check "level 2: no bucket" has 0 migration
check "level 3: growths alone" all_lines 3
check "level 3: nothing else" has 0 'created|freed|has grown'
check "a file" bash -c "
	HMAP_DEBUG=maptrace=2,file=$work/lines LD_LIBRARY_PATH=$work/build '$work/program' 2 200 2>'$work/err' &&
	[ ! -s '$work/err' ] && [ \$(grep -c created '$work/lines') = 4 ]"
check "sums at the end" bash -c "
	HMAP_DEBUG=stats=exit LD_LIBRARY_PATH=$work/build '$work/program' 2>&1 |
		grep -q '^hmap: 0 maps, 0 entries'"
shrinks() {
	cat >"$work/shrink.c" <<-'END'
		#include <hmap/hmap_typed.h>
		HMAP_DEFINE(orders, uint64_t, uint64_t)
		int main(void)
		{
			struct orders *m;

			if (orders_create(NULL, &m) != HMAP_OK)
				return 1;
			for (uint64_t i = 0; i < 20000; i++)
				orders_put(m, i, i);
			for (uint64_t i = 0; i < 20000; i++)
				orders_erase(m, i);
			return 0;
		}
	END
	gcc -D_GNU_SOURCE -O1 -Iinclude "$work/shrink.c" "$work/build/libhmap.a" -o "$work/shrink" -pthread &&
		! HMAP_DEBUG=maptrace=3 LD_LIBRARY_PATH=$work/build "$work/shrink" 2>&1 | grep shrinks &&
		HMAP_DEBUG=maptrace=3,gcshrinktrigger=1 LD_LIBRARY_PATH=$work/build "$work/shrink" 2>&1 |
			grep -E 'shrinks from [0-9]+ to [0-9]+ buckets \(load factor: [0-9.]+/8 → [0-9.]+/8\)'
}
check "gcshrinktrigger=1 turns the policy on" shrinks

# --- Words. ---

unknown() { # WORD PATTERN
	run "$1,maptrace=3" 1 54 && has 1 "$2" && has 1 'grows from 8'
}
check "an unknown word is named, and the others are heeded" unknown mapptrace=1 'no word "mapptrace"'
check "a bad level is named" unknown maptrace=7 'maptrace=LEVEL takes'
check "an address of another machine is refused" unknown http=0.0.0.0:8080 'this machine only'
check "a bad port is refused" unknown http=99999 'this machine only'
check "audit without a number is named" unknown audit 'audit=N takes'
check "a file that cannot be written is named" unknown file=/no/such/folder/x 'cannot be written'
by_call() {
	DEBUG_BY_CALL=$1 LD_LIBRARY_PATH=$work/build "$work/program" 1 54 >"$work/out" 2>"$work/err"
	cat "$work/out" "$work/err"
	grep -q "^call says $2" "$work/out"
}
check "by a call" by_call maptrace=3 done
check "by a call: lines" has 1 'grows from 8 to 16'
check "by a call with a word that is unknown" by_call nonsense 'an argument that cannot be meant'
no_library() {
	DEBUG_BY_CALL=maptrace=1 "$work/program" >"$work/out" 2>"$work/err"
	grep -q 'its library cannot be loaded: libhmap-debug.so.0' "$work/err" &&
		! grep -q '^call says done' "$work/out" && grep -q '^grows' "$work/out"
}
check "without the library, one sentence, and the program runs" no_library
static_program() {
	gcc -static -D_GNU_SOURCE -O1 -Iinclude "$work/shrink.c" "$work/build/libhmap.a" -o "$work/static" -pthread &&
		HMAP_DEBUG=maptrace=1 "$work/static" 2>&1 | grep -q '^libhmap: no debugging: '
}
check "a static program without the library says so, too" static_program
static_loader() { # dlopen is in it, and would bring a second libc
	gcc -static -D_GNU_SOURCE -O1 -Iinclude "$work/shrink.c" "$work/build/libhmap.a" -o "$work/static" \
		-pthread -Wl,-u,dlopen,-u,dlsym,-u,dlerror 2>/dev/null &&
		HMAP_DEBUG=maptrace=1 LD_LIBRARY_PATH=$work/build "$work/static" 2>&1 |
		grep -q '^libhmap: no debugging: a program that is linked statically'
}
check "a static program that has dlopen does as well" static_loader

# --- Endpoints. ---

if ! command -v curl >/dev/null; then
	skip "endpoints" "no curl"
else
	HMAP_DEBUG=http=unix:$work/socket,audit=2000,otlp=$work/otlp LD_LIBRARY_PATH=$work/build \
		"$work/program" 3 50000 "$work/end" >"$work/served.out" 2>"$work/served.err" &
	get() {
		curl -sS --fail --max-time 20 --unix-socket "$work/socket" "http://localhost$1"
	}
	wait_for() { # until the maps are filled
		for _ in $(seq 600); do
			get /debug/mapstats 2>/dev/null | grep -q '"entries": 300000' && return
			sleep 0.1
		done
		cat "$work/served.err"
		return 1
	}
	json() { # PATH EXPRESSION: of the document d
		get "$1" | python3 -c "import json, sys
d = json.load(sys.stdin)
assert $2, d"
	}
	check "it serves" wait_for
	check "mapstats" json /debug/mapstats 'd["total_maps"] == 6 and d["entries"] == 300000 and d["growths"] > 0 and d["worst_operation_ns"] > 0 and d["live_bytes"] + d["slack_bytes"] == d["total_bytes"]'
	check "mapstats by name" json /debug/mapstats 'len(d["by_name"]) == 1 and d["by_name"][0]["name"] == "or\"ders?"'
	check "the largest maps" json '/debug/mapstats?maps=2' 'len(d["maps"]) == 2 and d["maps"][0]["total_bytes"] >= d["maps"][1]["total_bytes"]'
	if command -v promtool >/dev/null; then
		check "metrics, by promtool" bash -c "curl -sS --unix-socket $work/socket http://localhost/metrics | promtool check metrics"
	else
		skip "metrics, by promtool" "no promtool"
	fi
	metrics() {
		get /metrics | grep -qF 'hmap_entries{name="or\"ders?"} 300000' && ! get /metrics | grep -q 0x
	}
	check "metrics: names alone, escaped" metrics
	if command -v go >/dev/null; then
		profile() { # NAME INDEX PATTERN
			get "/debug/pprof/$1" >"$work/$1.gz" &&
				go tool pprof -top -sample_index="$2" "$work/$1.gz" | grep -E "$3"
		}
		check "who made maps, by pprof" profile maps maps ' 6 +100% .* write_maps$'
		check "who grew them, by pprof" profile growth growths 'write_maps$'
	else
		skip "profiles, by pprof" "no go"
	fi
	audited() {
		for _ in $(seq 200); do
			json /debug/audit 'sum(m["looks"] for m in d["maps"]) > 500 and any(m["advice"] for m in d["maps"])' && return
			sleep 0.1
		done
		get /debug/audit
		return 1
	}
	check "audit: a key that is asked again and again is found" audited
	check "audit: ids of requests, as OTLP" json /debug/audit/otlp 'd["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["traceId"] == "0102030405060708090a0b0c0d0e0f10"'
	check "audit: into a file of lines" bash -c "head -n 1 '$work/otlp' | python3 -c 'import json, sys; json.load(sys.stdin)'"
	refused() { # STATUS CURL_ARGUMENT...
		local want=$1
		shift
		[ "$(curl -s --max-time 20 -o "$work/page" -w '%{http_code}' --unix-socket "$work/socket" "$@")" = "$want" ]
	}
	check "an unknown page lists those that there are" refused 404 http://localhost/debug/none
	check "nothing can be posted" refused 405 -X POST http://localhost/metrics
	touch "$work/end"
	wait %1
	check "the program ends as always" grep -q '^grows' "$work/served.out"
	check "nobody complained" test ! -s "$work/served.err"
	stream() { # the program ends as it would alone
		rm -f "$work/end2"
		HMAP_DEBUG=http=unix:$work/socket2,maptrace=3,file=/dev/null LD_LIBRARY_PATH=$work/build \
			"$work/program" 1 100 "$work/end2" >/dev/null 2>&1 &
		local pid=$!
		for _ in $(seq 100); do
			[ -S "$work/socket2" ] && break
			sleep 0.1
		done
		timeout 5 curl -sSN --unix-socket "$work/socket2" http://localhost/debug/maptrace >"$work/stream" &
		local reader=$!
		sleep 1
		touch "$work/end2"
		wait $reader
		wait $pid
	}
	check "whoever listens does not keep the program" stream
	listeners() {
		gcc -D_GNU_SOURCE -O1 -Iinclude tests/hmap/programs/burst_program.c "$work/build/libhmap.a" \
			-o "$work/burst" -pthread &&
			LD_LIBRARY_PATH=$work/build python3 tests/hmap/listeners.py "$work/burst" "$work"
	}
	check "each line reaches who listens, or is counted as lost; forks write whole lines" listeners
fi
checks_end
