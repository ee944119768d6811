#!/bin/bash
# make-recordings.sh [NAME...] - make the recordings that the tests read, and what is true of each.
#
#	tools/record/make-recordings.sh                      # all of them
#	tools/record/make-recordings.sh go1.24.13-noswissmap # one
#
# For each release and set of experiments: build tests/programs/truth, run it, record all of its
# memory with build/record, and keep the lines it prints and the addresses of its decoys.  One recording for each layout row, so
# that each row can be told from every other; those of the releases' defaults carry more maps.
#
# The program runs with an empty environment from a folder without a name of its own: a recording
# holds its stack, where the environment and the command line are.
#
# RECORD_DATE=YYYY-MM-DD stands for today, RECORD names another build of the record tool.
set -eu
cd "$(dirname "$0")/../.."
root=$PWD
record=${RECORD:-$root/build/record}
folder=tests/golden/recordings
date=${RECORD_DATE:-$(date -u +%Y-%m-%d)}
rich="-maps 60 -growing -largest 420 -stack 4 -decoys 100"
plain="-maps 40 -largest 100 -stack 2 -decoys 50"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# NAME RELEASE [EXPERIMENTS]; - for none and few maps
table="
go1.18.8 1.18.8
go1.19.4 1.19.4
go1.20.14 1.20.14
go1.21.13 1.21.13
go1.22.12 1.22.12
go1.23.12 1.23.12
go1.24.13 1.24.13
go1.25.14 1.25.14
go1.26.11 1.26.11
go1.27.4 1.27.4
go1.24.13-noswissmap 1.24.13 noswissmap
go1.25.14-noswissmap 1.25.14 noswissmap
go1.25.14-greenteagc 1.25.14 greenteagc
go1.25.14-greenteagc-noswissmap 1.25.14 greenteagc,noswissmap
go1.26.11-nogreenteagc 1.26.11 nogreenteagc
go1.27.4-mapsplitgroup 1.27.4 mapsplitgroup
go1.27.4-nogreenteagc 1.27.4 nogreenteagc
go1.27.4-nogreenteagc-mapsplitgroup 1.27.4 nogreenteagc,mapsplitgroup
go1.18.10 1.18.10 -
go1.23.11 1.23.11 -
go1.24.5 1.24.5 -
go1.24.5-noswissmap 1.24.5 noswissmap
go1.19 1.19 -
"

# goindex=0: the index of go1.19 loses its way in a toolchain that lives in the module cache.
build() { # RELEASE EXPERIMENTS
	local go
	go=$(tools/go-toolchain.sh "$1")
	(cd tests/programs/truth &&
		GODEBUG=goindex=0 GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=0 \
			GOEXPERIMENT=$2 "$go" build -trimpath -ldflags="-s -w" -o "$work/truth" .)
}

# Start the program, wait for its last line, record it, and let it end.
run() { # NAME OPTIONS...
	local name=$1 pid out=$work/lines tries=0
	shift
	rm -f "$work/stdin"
	mkfifo "$work/stdin"
	(cd "$work" && exec env -i ./truth -decoy-file decoys "$@" <stdin >lines) &
	pid=$!
	exec 9>"$work/stdin"
	until grep -q '"ready"' "$out" 2>/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || { echo "$name: the program does not get ready" >&2; exit 1; }
		sleep 0.1
	done
	"$record" --pid "$pid" --out "$folder/$name.msrec" --full --date "$date" \
		--note "tests/programs/truth, CGO_ENABLED=0, -trimpath -ldflags='-s -w'"
	cp "$out" "$folder/$name.truth.json"
	cp "$work/decoys" "$folder/$name.decoys.txt"
	exec 9>&-
	wait "$pid"
}

mkdir -p "$folder"
made=0
while read -r name release experiments; do
	[ -n "$name" ] || continue
	if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then
		continue
	fi
	build "$release" "${experiments#-}"
	if [ -n "$experiments" ]; then
		run "$name" $plain
	else
		run "$name" $rich
	fi
	made=$((made + 1))
	echo "$name: $(stat -c %s "$folder/$name.msrec") bytes," \
		"$(grep -c '"address"' "$folder/$name.truth.json") maps"
done <<<"$table"
[ "$made" -gt 0 ] || { echo "no such recording: $*" >&2; exit 1; }
