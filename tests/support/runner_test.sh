#!/bin/bash
# Goal: the test runner itself tells a pass from a failure, a crash, a hang, a leak and a skip.
# Method: a test program with one of each, and what the runner says of it.
set -u
cd "$(dirname "$0")/../.." || exit 1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/sample.c" <<'C'
#include "tests/support/test.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
MS_TEST(a_passes) { puts("not shown"); CHECK_EQ(1, 1); CHECK_STR("x", "x"); }
MS_TEST(b_minus_is_not_large) { CHECK_EQ(-1, UINT64_MAX); }
MS_TEST(c_crashes) { puts("said before"); abort(); }
MS_TEST(d_hangs) { for (;;) pause(); }
MS_TEST(e_leaves_a_child) { if (fork() == 0) for (;;) pause(); }
MS_TEST(f_skips) { SKIP("no %s here", "kernel"); }
MS_TEST(g_wrong_code) { CHECK_ERR(ms_error_new(MS_ERR_FAULT, "sentence"), MS_ERR_GONE); }
MS_TEST(h_unexpected_error) { CHECK_OK(ms_error_new(MS_ERR_FAULT, "sentence")); }
MS_TEST(i_random) { CHECK_EQ(ms_test_random() & 0, 0); printf("%lu\n", ms_test_random()); abort(); }
MS_TEST(j_leaks) { volatile char *p = malloc(10); p[0] = 1; p = NULL; }
C
gcc -std=gnu17 -D_GNU_SOURCE -DMS_TEST_ROOT='"."' -g -O0 -fsanitize=address -Isrc -I. \
	-o "$dir/sample" "$dir/sample.c" tests/support/test.c src/base/error.c || exit 1
passed=0 failed=0
expect() { # NAME PATTERN
	if grep -qE -- "$2" "$dir/out"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $1: no \"$2\""
	fi
}
expect_not() { # NAME PATTERN
	if grep -qE -- "$2" "$dir/out"; then
		failed=$((failed + 1))
		echo "FAIL $1: there is \"$2\""
	else
		passed=$((passed + 1))
	fi
}
"$dir/sample" --seed 7 --timeout 5 >"$dir/out" 2>&1
[ $? = 1 ] || { failed=$((failed + 1)); echo "FAIL exit code of a failing run"; }
expect seed '^seed 7$'
expect_not "output of a passing test" 'not shown'
expect negative 'b_minus_is_not_large'
expect difference '^FAIL b_minus.*: exit status 1: .*-1 is -1 .*want 18446744073709551615'
expect crash '^FAIL c_crashes .*: Aborted'
expect "output of a crash" 'said before'
expect hang '^FAIL d_hangs .*: not done after 5 s'
expect_not "left child" 'FAIL e_leaves_a_child'
expect skip '^SKIP f_skips: no kernel here$'
expect "wrong code" 'has code 1, want 5: sentence'
expect "unexpected error" 'failed with code 1: sentence'
expect leak 'detected memory leaks'
expect repeat 'to repeat: --seed 7 --filter c_crashes'
[ "$(tail -n 1 "$dir/out")" = "2 passed, 7 failed, 1 skipped" ] ||
	{ failed=$((failed + 1)); echo "FAIL closing line: $(tail -n 1 "$dir/out")"; }
sort "$dir/out" >"$dir/alone"
"$dir/sample" --seed 7 --timeout 5 --jobs 3 >"$dir/out" 2>&1
[ $? = 1 ] || { failed=$((failed + 1)); echo "FAIL exit code of a failing run of three at a time"; }
[ "$(tail -n 1 "$dir/out")" = "2 passed, 7 failed, 1 skipped" ] ||
	{ failed=$((failed + 1)); echo "FAIL closing line of three at a time: $(tail -n 1 "$dir/out")"; }
expect "skip of three at a time" '^SKIP f_skips: no kernel here$'
expect "difference of three at a time" '^FAIL b_minus.*: exit status 1: .*want 18446744073709551615'
expect "hang of three at a time" '^FAIL d_hangs .*: not done after 5 s$'
grep -vE '==|^ +#|seed 7$' "$dir/alone" >"$dir/want"
sort "$dir/out" | grep -vE '==|^ +#|seed 7$' | diff "$dir/want" - >"$dir/diff"
if [ -s "$dir/diff" ]; then
	failed=$((failed + 1))
	echo "FAIL three at a time do not say what one at a time says"
	cat "$dir/diff"
fi
first=$(grep -A1 'FAIL i_random' "$dir/out" | tail -n 1)
[[ $first =~ ^[0-9]+$ ]] || { failed=$((failed + 1)); echo "FAIL no random number"; }
"$dir/sample" --seed 7 --filter i_random >"$dir/out" 2>&1
expect "the same seed, the same numbers" "^$first\$"
"$dir/sample" --seed 8 --filter i_random >"$dir/out" 2>&1
expect_not "another seed, other numbers" "^$first\$"
"$dir/sample" --filter a_passes >"$dir/out" 2>&1
expect "passing run" '^1 passed, 0 failed, 0 skipped$'
"$dir/sample" --filter nothing_so_called >"$dir/out" 2>&1 &&
	{ failed=$((failed + 1)); echo "FAIL an empty run passed"; }
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
