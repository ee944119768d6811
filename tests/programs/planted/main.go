// Planted keeps keys and values in its maps that no output of the tool may show.
//
// What it plants comes in on its command line: a word, and a number of
// sixteen digits.  It prints one line when the maps are filled and runs until its input ends.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"time"
)

type record struct {
	name  string
	token [16]byte
	owner *string
}

var (
	byName   = map[string]record{}
	byNumber = map[uint64]string{}
	byToken  = map[[16]byte]*record{}
	grown    = map[string]uint64{}
	passing  = map[string]uint64{}
)

func main() {
	word := os.Args[1]
	number, err := strconv.ParseUint(os.Args[2], 10, 64)
	if err != nil {
		panic(err)
	}
	for i := uint64(0); i < 5000; i++ {
		name := fmt.Sprintf("%s-%d", word, i)
		r := record{name: name, owner: &name}
		copy(r.token[:], word)
		r.token[15] = byte(i)
		byName[name] = r
		byNumber[number+i] = name
		byToken[r.token] = &r
		grown[name] = number
	}
	go func() { // Growths to be traced.
		for {
			for i := uint64(0); i < 100; i++ {
				passing[fmt.Sprintf("%s+%d", word, i)] = number
			}
			passing = map[string]uint64{}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
	fmt.Println(len(byName), len(byNumber), len(byToken), len(grown))
}
