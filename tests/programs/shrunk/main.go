// shrunk held many spans once and holds few now: nearly all of the runtime's table of them is dead.
//
// It fills a map, prints the number of its entries, and waits until stdin is closed.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

const (
	blocks     = 60000
	blockBytes = 8192 // A span each.
	entries    = 1000
)

var held [][]byte

func main() {
	for i := 0; i < blocks; i++ {
		held = append(held, make([]byte, blockBytes))
	}
	held = nil
	runtime.GC()
	debug.FreeOSMemory()
	kept := map[int]int{}
	for i := 0; i < entries; i++ {
		kept[i] = i
	}
	fmt.Println(len(kept))
	bufio.NewReader(os.Stdin).ReadString('\n')
	runtime.KeepAlive(kept)
}
