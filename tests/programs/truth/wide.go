package main

import (
	"fmt"
	"syscall"
)

// reserve takes gigabytes of addresses without a page behind them: half of them readable.
func reserve(gigabytes int) {
	const flags = syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_NORESERVE
	half := gigabytes << 29
	for _, prot := range []int{syscall.PROT_NONE, syscall.PROT_READ | syscall.PROT_WRITE} {
		if gigabytes == 0 {
			return
		}
		if _, err := syscall.Mmap(-1, 0, half, prot, flags); err != nil {
			panic(fmt.Sprint("truth: reserve: ", err))
		}
	}
}

// fragment makes so many mappings, one page each, by giving every other page another protection; it
// returns how many the kernel allowed.
func fragment(mappings int) int {
	const flags = syscall.MAP_PRIVATE | syscall.MAP_ANON | syscall.MAP_NORESERVE
	if mappings == 0 {
		return 0
	}
	memory, err := syscall.Mmap(-1, 0, mappings*pageSize, syscall.PROT_READ|syscall.PROT_WRITE, flags)
	if err != nil {
		panic(fmt.Sprint("truth: fragment: ", err))
	}
	made := 1
	for at := pageSize; at+pageSize < len(memory); at += 2 * pageSize {
		if syscall.Mprotect(memory[at:at+pageSize], syscall.PROT_READ) != nil {
			break // vm.max_map_count
		}
		made += 2
	}
	return made
}
