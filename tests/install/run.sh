#!/bin/bash
# Goal: what `make install` puts down is complete and usable, and the man page and the completion
# offer exactly the verbs and options that --help lists.
# Method: install into an empty directory and look.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build-dev}
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT
passed=0 failed=0

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $name"
	fi
}

same() { # WHAT GOT WANT
	[ "$2" = "$3" ] && return
	diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") | sed -n "s/^[<>]/$1: &/p"
	return 1
}

long_options() {
	grep -oE -- '--[a-z][a-z-]+' | sort -u
}

DESTDIR=$dest cmake --install "$build" --prefix /usr >/dev/null || echo "FAIL cmake --install"
tool=$dest/usr/bin/mapscope
man=$dest/usr/share/man/man1/mapscope.1
completion=$dest/usr/share/bash-completion/completions/mapscope

check "tool runs" same version "$("$tool" --version | cut -d. -f1)" "mapscope 0"
check "man page is there" test -s "$man"
check "license is there" test -s "$dest/usr/share/doc/mapscope/LICENSE"
check "nothing else is installed" same files \
	"$(cd "$dest" && find . -type f | sort)" \
	"./usr/bin/hmap-growth
./usr/bin/hmap-hash
./usr/bin/hmap-layout
./usr/bin/mapscope
./usr/lib/libhmap-debug.so.0.1.0
./usr/share/bash-completion/completions/mapscope
./usr/share/doc/mapscope/LICENSE
./usr/share/man/man1/mapscope.1
./usr/share/man/man7/hmap_debug.7"

check "man page has the words of HMAP_DEBUG" same "words" \
	"$(sed -n '/^\.SH WORDS/,/^\.SH EXAMPLES/s/^\.BI* \([a-z]*\)=.*/\1/p' "$dest/usr/share/man/man7/hmap_debug.7" | sort -u)" \
	"$(grep -o 'strcmp(w->name, "[a-z]*"' src/hmap_debug/words.c | cut -d'"' -f2 | sort -u)"

help=$("$tool" --help | long_options)
check "man page has the options of --help" same "man page" \
	"$(sed 's/\\-/-/g' "$man" | grep -E '^\.B[IR]* ' | long_options)" "$help"
check "completion has the options of --help" same completion \
	"$(bash -c '. "$0"; printf "%s\n" "${mapscope_options[@]}"' "$completion" | long_options)" "$help"
verbs=$("$tool" --help | sed -n 's/^  mapscope \([a-z][a-z]*\) .*/\1/p' | sort -u)
check "--help names verbs" test -n "$verbs"
check "man page has the verbs of --help" same "man page verbs" \
	"$(sed -n 's/^\.SS "*mapscope \([a-z]*\).*/\1/p' "$man" | sort -u)" "$verbs"
check "completion has the verbs of --help" same "completion verbs" \
	"$(bash -c '. "$0"; printf "%s\n" "${mapscope_verbs[@]}"' "$completion" | sort -u)" "$verbs"
check "man page has the exit codes of exit_code.h" same "exit codes" \
	"$(sed -n '/^\.SH EXIT STATUS/,/^\.SH EXAMPLES/s/^\.B \([0-9]*\)$/\1/p' "$man" | sort -n)" \
	"$(sed -n 's/^\tMS_EXIT_[A-Z]* = \([0-9]*\),.*/\1/p' src/cli/exit_code.h | sort -n)"
check "the READMEs are in step" python3 -B tests/install/readme_check.py README.md README.zh-CN.md
check "completion completes an option" same completed \
	"$(bash -c '. "$0"; COMP_WORDS=(mapscope --vers); COMP_CWORD=1; _mapscope; echo "${COMPREPLY[*]}"' \
		"$completion")" "--version"
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
