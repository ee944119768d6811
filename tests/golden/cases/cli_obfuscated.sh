# A Go function table that begins like none we know, as obfuscated builds have it: said to be so.
command -v objcopy >/dev/null || { echo "no objcopy"; exit 77; }
head -c 64 /dev/zero | tr '\0' 'x' >table
objcopy --add-section .gopclntab=table "$(command -v sleep)" ./napping
./napping 100 &
trap 'kill $!' EXIT
until [ "$(readlink /proc/$!/exe)" = "$PWD/napping" ]; do :; done
"$MAPSCOPE" maps $! 2>stderr
code=$?
echo "$(sed "s/$!/PID/" stderr) [$code]"
COLUMNS=1000 "$MAPSCOPE" doctor $! >page
echo "doctor [$?]"
grep -E '^(ok|no) +(go program|go version) |^verdict' page
