#!/bin/bash
# run.sh - build the demo service, start it, and show the page mapscope makes of it in ten seconds.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../service.sh"

# The release our helper finds, or whatever go there is: the service builds with 1.18 and newer.
if go=$("$root/tools/go-toolchain.sh" 2>/dev/null); then
	export GOTOOLCHAIN=local
else
	go=go
fi
echo "building the demo service with $("$go" version)"
(cd "$here" && GOFLAGS=-buildvcs=false "$go" build -o "$scratch/demo" .)

start_service demo "$scratch/demo" # It says so when its tables are filled.
echo "$line"
echo "\$ mapscope $service --seconds $seconds"
"$tool" "$service" --seconds "$seconds"
