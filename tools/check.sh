#!/bin/bash
# check.sh quick|check|long|accept - run the tests of a tier and add them up.
#
# A step that closes with "N passed, N failed, N skipped" counts as that many tests, any other as
# one.  What a step prints is shown when it fails.  The last line of all is the sum; the reason of
# each skip stands above it.  A tier includes the ones before it: quick is meant to take seconds,
# check minutes, long as long as it takes.
set -u
cd "$(dirname "$0")/.." || exit 1
tier=${1:-check}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
jobs=$(nproc)
passed=0 failed=0 skipped=0
skips=$logs/skips
: >"$skips"
closing='^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$'

# run NAME COMMAND...
run() {
	local name=$1 log=$logs/log start=$SECONDS code line p f s
	shift
	printf '== %s\n' "$name"
	"$@" >"$log" 2>&1 </dev/null
	code=$?
	grep -E '^SKIP ' "$log" | sed "s/^SKIP /$name: /" >>"$skips"
	line=$(tail -n 1 "$log")
	if [[ $line =~ $closing ]]; then
		read -r p f s <<<"$(tr -dc '0-9 ' <<<"$line")"
	else
		p=1 f=0 s=0
		line=
	fi
	if [ $code -ne 0 ] && [ "$f" -eq 0 ]; then
		f=1
		[ -n "$line" ] || p=0
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if [ "$f" -ne 0 ]; then
		# A long step's failures may stand far above its end.
		grep -A 8 '^FAIL ' "$log" | head -n 100
		grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)|^-- |^SKIP ' "$log" | tail -n 200
		echo "   FAILED with exit code $code: $*"
	else
		grep -E '^(note: |skip |  )' "$log" | head -n 60
	fi
	printf '   %s%s s\n' "${line:+$line, }" $((SECONDS - start))
	return "$f"
}

skip() { # NAME REASON
	skipped=$((skipped + 1))
	echo "$1: $2" >>"$skips"
}

# build PRESET: configure and compile it.
build() {
	cmake --preset "$1" && cmake --build --preset "$1" -- -k 0
}

fuzz_regression() { # BUILD_DIR
	[ ! -x "$1/fuzz-regression" ] || run "fuzz corpora" "$1/fuzz-regression"
}

house_rules() {
	run "house rules" tools/tidy/tidy.py build-dev
	run "house rules on themselves" python3 -B tools/tidy/tidy_test.py
	run "headers alone" tools/tidy/headers.sh
	run "format" tools/tidy/format.sh
}

# The unit tests, fault sweeps, fuzz corpora and goldens under gcc's sanitizers.
sanitized() {
	run "build: gcc, address and undefined-behaviour sanitizers" build dev || return
	run "unit and fault tests" build-dev/mapscope-tests --jobs "$jobs"
	run "libhmap" build-dev/hmap-tests --jobs "$jobs"
	fuzz_regression build-dev
	MAPSCOPE=$PWD/build-dev/mapscope run "goldens" tests/golden/run.sh
}

live() { # TIER
	run "build: release" build release || return
	[ ! -x tests/live/run.sh ] ||
		MAPSCOPE=$PWD/build/mapscope run "live processes" tests/live/run.sh --tier "$1"
}

check() { # LIVE_TIER
	sanitized
	run "build: clang" build clang && run "unit and fault tests, clang" build-clang/mapscope-tests --jobs "$jobs" &&
		run "libhmap, clang" build-clang/hmap-tests --jobs "$jobs"
	run "lines that the fuzz corpora reach" tests/fuzz/coverage.sh
	house_rules
	run "the test runner" tests/support/runner_test.sh
	run "pages in a browser" tests/web/run.sh build-dev
	run "installation" tests/install/run.sh
	run "tools of libhmap" tests/hmap/tools.sh
	run "libhmap elsewhere" tests/hmap/matrix.sh "$1"
	run "libhmap as users get it" tests/hmap/packaging.sh
	run "libhmap watched: HMAP_DEBUG" tests/hmap/debug.sh
	run "libhmap in gdb" tests/hmap/gdb.sh
	live "$1"
}

case $tier in
quick)
	sanitized
	run "house rules" tools/tidy/tidy.py build-dev
	;;
check)
	check check
	;;
long)
	export MS_SWEEP=complete
	check long
	run "layouts repeat" tools/layoutgen/make-layouts.sh --check
	run "libhmap, new traces of Go maps" tests/hmap/new-go-traces.sh
	run "build: thread sanitizer" build tsan &&
		run "unit tests, thread sanitizer" build-tsan/mapscope-tests --timeout 300
	if run "build: fuzz" build fuzz; then
		for target in build-fuzz/fuzz-*; do
			[ ! -x "$target" ] ||
				run "fuzz ${target#build-fuzz/fuzz-}" tools/fuzz.sh "${target#build-fuzz/fuzz-}" 120
		done
	fi
	if command -v valgrind >/dev/null; then
		run "unit tests, valgrind" tools/valgrind.sh
	else
		skip "unit tests, valgrind" "valgrind is not installed"
	fi
	;;
accept)
	run "build: gcc, address and undefined-behaviour sanitizers" build dev || exit 1
	MS_ACCEPT=1 run "goldens of the unit tests" build-dev/mapscope-tests
	MAPSCOPE=$PWD/build-dev/mapscope run "goldens" tests/golden/run.sh --accept
	;;
*)
	echo "usage: tools/check.sh quick|check|long|accept" >&2
	exit 1
	;;
esac

[ ! -s "$skips" ] || { echo "== skipped"; cat "$skips"; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
