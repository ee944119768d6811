// Package inner has variables of its own, beside those of package main.
package inner

// Sizes is exported; names is not.
var (
	Sizes map[string]int
	names map[int]string
)

// Fill makes both maps.
func Fill() {
	Sizes = map[string]int{"one": 1, "two": 2}
	names = map[int]string{1: "one"}
}

// Names gives the map that is not exported.
func Names() map[int]string {
	return names
}
