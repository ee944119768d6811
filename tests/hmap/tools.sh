#!/bin/bash
# tools.sh [--accept] - Goal: hmap-hash, hmap-layout and hmap-growth print what they should, and answer
# bad input with one sentence and the right code.  Method: whole outputs against tests/hmap/golden, each
# headed by its command; --accept writes them anew.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build-dev}
golden=tests/hmap/golden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

check() { # NAME COMMAND...: its output, errors and code are the golden's
	local name=$1
	shift
	{
		echo "\$ $*"
		"$build/$1" "${@:2}" 2>&1
		echo "exit $?"
	} | sed "s|$work|WORK|g; /^xxh/d; s/memory [0-9]*, peak [0-9]* bytes */memory/g" >"$work/out"
	[ "${accept:-}" != 1 ] || cp "$work/out" "$golden/$name.txt"
	if diff "$golden/$name.txt" "$work/out" >"$work/diff"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -n 30 "$work/diff"
	fi
}

holds() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >/dev/null 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
	fi
}

[ "${1:-}" != --accept ] || accept=1
printf 'alpha\nbeta\ngamma\ndelta\nalpha\n' >"$work/keys"
printf 'one' >"$work/single"
: >"$work/empty"
check layout_numbers hmap-layout uint64_t uint32_t
check layout_strings hmap-layout string 'struct { uint8_t a; uint64_t b[3]; }'
check layout_large hmap-layout '[200]byte' 'struct {}'
check layout_in_place hmap-layout --in-place '[200]byte' '*Order'
check layout_json hmap-layout --json u32 'struct { a, b int32; c float64 }'
check layout_int hmap-layout int string
check layout_unknown hmap-layout 'struct order' u8
check layout_deep hmap-layout '********************************u8' u8
check layout_huge hmap-layout '[99999999999]byte' u8
check layout_one hmap-layout u64
check layout_no_key hmap-layout 'struct {}' u64
check hash_shape hmap-hash --no-speed --shape prefix
check hash_file hmap-hash --no-speed --buckets 4 "$work/keys"
check hash_single hmap-hash "$work/single"
check hash_empty hmap-hash "$work/empty"
check hash_missing hmap-hash "$work/nothing"
check hash_bad_shape hmap-hash --shape round
check hash_bad_number hmap-hash --buckets many
check growth_text hmap-growth --no-time --frames 3 --entries 900
check growth_bad_ending hmap-growth -o film.gif
check growth_bad_folder hmap-growth -o "$work/nowhere/film.svg"
check growth_bad_number hmap-growth --entries 0
holds "film is XML" bash -c "'$build/hmap-growth' --frames 9 -o '$work/film.svg' &&
	python3 -c 'import sys, xml.dom.minidom as m; m.parse(sys.argv[1])' '$work/film.svg'"
holds "film is a page by itself" bash -c "'$build/hmap-growth' --frames 9 -o '$work/film.html' &&
	! grep -qE '(src|href)=' '$work/film.html' && grep -q '</html>' '$work/film.html'"
for page in hash layout growth; do
	holds "hmap-$page --help" bash -c "'$build/hmap-$page' --help | grep -q '^usage: hmap-$page'"
done
for document in 'hmap-hash --no-speed --json' 'hmap-layout --json u8 u8'; do
	holds "$document is JSON" bash -c "'$build'/$document | python3 -m json.tool"
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
