//go:build withcgo

package main

// #include <stdlib.h>
// #include <string.h>
import "C"

const hasC = true

// Many small pieces: large ones would be mappings of their own.
func allocateC(bytes int) {
	const piece = 4096
	for i := 0; i < bytes/piece; i++ {
		C.memset(C.malloc(piece), 1, piece)
	}
}
