# A process of another user: exit code 2, and what to type.
[ "$(id -u)" = 0 ] || { echo "only root can become another user"; exit 77; }
command -v setpriv >/dev/null || { echo "no setpriv"; exit 77; }
cp "$MAPSCOPE" tool && chmod 755 . tool
sleep 100 &
trap 'kill $!' EXIT
until [ "$(readlink /proc/$!/exe)" = "$(readlink -f "$(command -v sleep)")" ]; do :; done
as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$@"; }
as_nobody ./tool maps $! --json 2>&1 | sed "s/$!/PID/g"
echo "maps [${PIPESTATUS[0]}]"
COLUMNS=1000 as_nobody ./tool doctor $! >page
echo "doctor [$?]"
sed "s/$!/PID/g; /^read /d" page
