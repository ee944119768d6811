package main

// Only in the build with cgo, which links another runtime start.

// int add(int a, int b) { return a + b; }
import "C"

func init() {
	println(C.add(1, 2))
}
