# Two processes of one name: a line for each that can be typed; their arguments are made safe.
cp "$(command -v sleep)" mapscope-twin
./mapscope-twin 100 &
first=$!
./mapscope-twin 101 &
second=$!
trap 'kill $first $second' EXIT
until [ "$(readlink /proc/$first/exe)" = "$PWD/mapscope-twin" ]; do :; done
until [ "$(readlink /proc/$second/exe)" = "$PWD/mapscope-twin" ]; do :; done
"$MAPSCOPE" maps --name mapscope-twin 2>&1 | sed "s/ $first/ PID/; s/ $second/ PID/"
echo "[${PIPESTATUS[0]}]"
