#!/bin/bash
# new-go-traces.sh [SEED] - replay what a real Go map does now, with operations of a seed of its own.
#
# The recordings in the tree are always the same; this makes others and holds the classic engine of
# $HMAP_TESTS (build-dev/hmap-tests) against them.  GO_RELEASE is as for make-go-traces.sh.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
seed=${1:-$(date +%s)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "seed $seed"
if ! "$root/tools/go-toolchain.sh" "${GO_RELEASE:-1.19.4}" >/dev/null 2>"$work/why"; then
	echo "SKIP traces of Go maps: $(tail -n 1 "$work/why")"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
"$root/tests/hmap/make-go-traces.sh" "$seed" "$work/traces"
CLASSIC_TRACES=$work/traces "${HMAP_TESTS:-$root/build-dev/hmap-tests}" --filter bytes_of_go
