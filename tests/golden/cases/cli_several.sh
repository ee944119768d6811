# Two processes of one name: a line for each that can be typed; their arguments are made safe.
twin=mapscope-twin-$$
cp "$(command -v sleep)" $twin
./$twin 100 &
first=$!
./$twin 101 &
second=$!
trap 'kill $first $second' EXIT
until [ "$(readlink /proc/$first/exe)" = "$PWD/$twin" ]; do :; done
until [ "$(readlink /proc/$second/exe)" = "$PWD/$twin" ]; do :; done
"$MAPSCOPE" maps --name $twin 2>&1 | sed "s/$twin/TWIN/; s/ $first/ PID/; s/ $second/ PID/"
echo "[${PIPESTATUS[0]}]"
