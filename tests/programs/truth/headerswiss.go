//go:build go1.26 || (go1.24 && goexperiment.swissmap)

package main

import "unsafe"

// decoyHeader has the size and the pointer of the runtime's map header.
type decoyHeader struct {
	w0, w1     uint64
	p2         unsafe.Pointer
	w3, w4, w5 uint64
}

func (d *decoyHeader) setPointers(table, old, extra unsafe.Pointer, word3, word5 uint64) {
	d.p2, d.w3, d.w5 = table, word3, word5
}

// strangeHeader has the size of a map header and its pointer elsewhere.
type strangeHeader struct {
	w0, w1, w2, w3 uint64
	p4             unsafe.Pointer
	w5             uint64
}
