# A process that is not there: exit code 4, whatever names it and whatever is to be printed.
pid=$(bash -c 'echo $$')
for arguments in "maps $pid" "maps $pid --json" "$pid --seconds 1" "maps --name mapscope-no-such"; do
	"$MAPSCOPE" $arguments >stdout 2>stderr
	code=$?
	echo "$(sed "s/$pid/PID/" stderr) [$code]"
	cat stdout
done
COLUMNS=1000 "$MAPSCOPE" doctor $pid | sed "s/$pid/PID/; /^read /d"
