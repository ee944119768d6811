// Old is a Go program of a release that is older than any we have a layout for.
package main

import (
	"fmt"
	"os"
)

var stock = map[string]int{"apples": 3, "pears": 4}

func main() {
	for i := 0; i < 1000; i++ {
		stock[fmt.Sprint("plum ", i)] = i
	}
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	fmt.Println(len(stock))
}
