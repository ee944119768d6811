# A file where a process should be named, a core file for one: exit code 3.
touch core.4711
for arguments in core.4711 "maps core.4711" ./core.4711 "doctor /proc/self/exe"; do
	"$MAPSCOPE" $arguments 2>&1
	echo "[$?]"
done
