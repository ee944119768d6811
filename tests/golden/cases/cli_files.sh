# Files that cannot be written: exit code 6, and before the process is looked at.
mkdir folder.json
ln -s folder.json link.json
for file in missing/x.json folder.json link.json; do
	"$MAPSCOPE" maps 1 -o $file
	echo "[$?]"
done 2>&1
