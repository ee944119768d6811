# Processes that are no Go program: exit code 3 and a sentence; doctor prints its page.
sleep 100 &
trap 'kill $!' EXIT
until [ "$(readlink /proc/$!/exe)" = "$(readlink -f "$(command -v sleep)")" ]; do :; done
for arguments in "maps $!" "maps $! --json" "$! --seconds 1"; do
	"$MAPSCOPE" $arguments >stdout 2>stderr
	code=$?
	echo "$(sed "s/$!/PID/" stderr) [$code]"
	cat stdout
done
COLUMNS=1000 "$MAPSCOPE" doctor $! >page
echo "doctor [$?]"
grep -E '^(ok|no) +(process|go program|go version) |^verdict' page | sed 's/sleep, .*/sleep/'
