package main

import (
	"reflect"
	"syscall"
	"unsafe"
)

const (
	sysUserfaultfd   = 323 // linux/amd64.
	uffdioAPI        = 0xc018aa3f
	uffdioRegister   = 0xc020aa00
	uffdAPI          = 0xaa
	registerMissing  = 1
	blockedEntries   = 1 << 20
	pageSize         = 4096
	unmapRegionBytes = 1 << 20
)

// addBlocked lists a map whose table lies on pages that were never touched, and lets every read of
// them block: nobody answers their page faults.  Only a classic table, which is made without being
// written, has such pages.  It tells whether there is such a map.
func addBlocked(l *ledger) bool {
	if mapKind != "classic" {
		return false
	}
	fd, _, errno := syscall.Syscall(sysUserfaultfd, syscall.O_CLOEXEC, 0, 0)
	if errno != 0 {
		return false
	}
	api := [3]uint64{uffdAPI}
	_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, uffdioAPI, uintptr(unsafe.Pointer(&api)))
	if errno != 0 {
		return false
	}
	m := make(map[int64]int64, blockedEntries)
	own(l, m, "blocked")
	l.keep = append(l.keep, m)
	// The table is noscan and large: an object of its own, whole pages long.  Its first page holds
	// the header's neighbourhood and stays readable.
	t := (*[3]uint64)(headerOf(m))[2]
	slots := inside(m).capacity
	bytes := slots / 8 * uint64(bucketBytes(m))
	region := [4]uint64{t + pageSize, (bytes - pageSize) &^ (pageSize - 1), registerMissing}
	_, _, errno = syscall.Syscall(syscall.SYS_IOCTL, fd, uffdioRegister,
		uintptr(unsafe.Pointer(&region)))
	return errno == 0
}

// bucketBytes is the size of a bucket of m: eight tags, eight keys, eight elems, one pointer.
func bucketBytes(m interface{}) uintptr {
	t := reflect.TypeOf(m)
	return 8 + 8*t.Key().Size() + 8*t.Elem().Size() + 8
}

// startUnmapping lets the address space change all the time.
func startUnmapping() {
	go func() {
		for size := unmapRegionBytes; ; size = unmapRegionBytes + (size+pageSize)%unmapRegionBytes {
			b, err := syscall.Mmap(-1, 0, size&^(pageSize-1), syscall.PROT_READ|syscall.PROT_WRITE,
				syscall.MAP_ANON|syscall.MAP_PRIVATE)
			fail(err)
			b[0] = 1
			fail(syscall.Munmap(b))
		}
	}()
}
