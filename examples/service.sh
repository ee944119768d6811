# service.sh - sourced by the run.sh of an example: the tool, a scratch folder, and a service that ends
# with the script.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tool=${MAPSCOPE:-$root/build/mapscope}
seconds=${SECONDS_TO_LOOK:-10}
[ -x "$tool" ] || { echo "run.sh: there is no $tool; build it with: make build" >&2; exit 1; }

scratch=$(mktemp -d)
service=
finish() {
	[ -z "$service" ] || kill "$service" 2>/dev/null || true
	[ -z "$service" ] || wait "$service" 2>/dev/null || true
	rm -rf "$scratch"
}
trap finish EXIT

# start_service NAME COMMAND...: until it says "ready ..." in $line, or ends itself.
start_service() {
	local name=$1
	shift
	mkfifo "$scratch/out"
	"$@" >"$scratch/out" &
	service=$!
	exec 3<"$scratch/out"
	if ! read -r line <&3 || [[ $line != ready* ]]; then
		echo "run.sh: the $name service did not start" >&2
		exit 1
	fi
}
