#!/bin/bash
# make-go-traces.sh [SEED [FOLDER]] - what a real Go map leaves in memory, operation by operation.
#
#	tests/hmap/make-go-traces.sh                 # the recordings that the tests replay, anew
#	tests/hmap/make-go-traces.sh 99 /some/folder # others, for CLASSIC_TRACES=/some/folder hmap-tests
#
# GO_RELEASE is the release to build tests/programs/maptrace with, 1.19.4 if not set.  The same seed
# makes the same operations; hashes are the runtime's own, and differ from run to run.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
seed=${1:-7}
folder=${2:-$root/tests/hmap/recordings}
go=$("$root/tools/go-toolchain.sh" "${GO_RELEASE:-1.19.4}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# goindex=0: Go 1.19 mistakes a toolchain inside the module cache for a module and fails.
(cd "$root/tests/programs/maptrace" &&
	GODEBUG=goindex=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS=-mod=mod CGO_ENABLED=0 GOEXPERIMENT= \
		"$go" build -o "$work/maptrace" .)
mkdir -p "$folder"
for kind in u64 hint set odd pointer large float string; do
	"$work/maptrace" "$kind" "$seed" >"$folder/classic-$kind.bin"
done
