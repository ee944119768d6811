//go:build !go1.19

package main

func setMemoryLimit(int64) { panic("Go 1.18 has no memory limit") }
