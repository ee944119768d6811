//go:build !go1.24

package main

import "unsafe"

// decoyHeader has the size and the pointers of the runtime's map header.
type decoyHeader struct {
	w0, w1 uint64
	p2, p3 unsafe.Pointer
	w4     uint64
	p5     unsafe.Pointer
}

func (d *decoyHeader) setPointers(table, old, extra unsafe.Pointer, word3, word5 uint64) {
	d.p2, d.p3, d.p5 = table, old, extra
}

// strangeHeader has the size of a map header and its pointer elsewhere.
type strangeHeader struct {
	w0, w1, w2, w3 uint64
	p4             unsafe.Pointer
	w5             uint64
}
