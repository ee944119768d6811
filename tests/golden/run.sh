#!/bin/bash
# run.sh [--accept] [--filter TEXT] - run tests/golden/cases/*.sh and compare what they print.
#
# Beside NAME.sh stand NAME.stdout, NAME.stderr and NAME.exit; a file that is missing means empty
# output or exit code 0.  A case runs in an empty directory of its own with
#   MAPSCOPE   the tool under test
#   ROOT       the source tree
# and takes out of its output what changes from run to run.  Exit code 77 is a skip; its last line
# on stdout is the reason.  --accept writes the files instead of comparing them.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
accept=no
filter=
while [ $# -gt 0 ]; do
	case $1 in
	--accept) accept=yes ;;
	--filter) filter=$2; shift ;;
	*) echo "usage: run.sh [--accept] [--filter TEXT]" >&2; exit 1 ;;
	esac
	shift
done
export ROOT=$root MAPSCOPE=${MAPSCOPE:-$root/build/mapscope} LC_ALL=C NO_COLOR= TERM=dumb TZ=UTC
unset NO_COLOR
passed=0 failed=0 skipped=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
shopt -s nullglob

# The golden beside the case becomes what was printed; none where that is the default.
accept_file() { # golden printed default
	if [ "$(cat "$2"; echo x)" = "$3"x ]; then rm -f "$1"; else cp "$2" "$1"; fi
}

# What was printed is what the golden says.
same_file() { # golden printed default
	if [ -e "$1" ]; then
		diff -u --label "$(basename "$1")" --label printed "$1" "$2"
	else
		printf '%s' "$3" | diff -u --label "$(basename "$1") (none)" --label printed - "$2"
	fi
}

for case in "$root"/tests/golden/cases/*.sh; do
	name=$(basename "$case" .sh)
	[[ $name == *"$filter"* ]] || continue
	dir=$scratch/$name
	mkdir -p "$dir/cwd"
	(cd "$dir/cwd" && timeout 60 bash "$case" >"$dir/stdout" 2>"$dir/stderr" </dev/null)
	code=$?
	echo $code >"$dir/exit"
	if [ $code = 77 ]; then
		skipped=$((skipped + 1))
		echo "SKIP $name: $(tail -n 1 "$dir/stdout")"
		continue
	fi
	if [ $accept = yes ]; then
		accept_file "${case%.sh}.stdout" "$dir/stdout" ""
		accept_file "${case%.sh}.stderr" "$dir/stderr" ""
		accept_file "${case%.sh}.exit" "$dir/exit" $'0\n'
	fi
	if same_file "${case%.sh}.stdout" "$dir/stdout" "" >"$dir/diff" &&
		same_file "${case%.sh}.stderr" "$dir/stderr" "" >>"$dir/diff" &&
		same_file "${case%.sh}.exit" "$dir/exit" $'0\n' >>"$dir/diff"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
		head -n 60 "$dir/diff"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
