// Package dotted has a dot in the last part of its import path.
package dotted

var table map[int]string

// Fill makes the package's map.
func Fill() {
	table = map[int]string{1: "dotted"}
}

// Table gives it.
func Table() map[int]string {
	return table
}
