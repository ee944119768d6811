#!/bin/bash
# valgrind.sh - the unit tests of the clang build under valgrind: what the sanitizers do not see,
# above all bytes that were never written.  Arguments go to the runner (--filter TEXT).  The tests
# run without debug information: valgrind gives up on forms of DWARF 5 that clang writes.
set -eu
cd "$(dirname "$0")/.."
strip --strip-debug -o build-clang/mapscope-tests-stripped build-clang/mapscope-tests
exec valgrind --quiet --error-exitcode=1 --leak-check=no --child-silent-after-fork=no \
	build-clang/mapscope-tests-stripped --timeout 600 "$@"
