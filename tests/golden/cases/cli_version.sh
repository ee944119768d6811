# The version is on stdout, whatever else is asked for.
"$MAPSCOPE" --version | sed 's/[0-9][0-9.]*/N/'
"$MAPSCOPE" maps --version 1 | sed 's/[0-9][0-9.]*/N/'
