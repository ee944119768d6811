//go:build withcgo

package main

// Importing C makes the linker keep C code and its startup, which changes the layout of a process.
import "C"
