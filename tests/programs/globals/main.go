// Program globals holds maps in package-level variables of every shape, says what they are, and
// waits for the end of its input.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"

	"globals/inner"
)

// What the program says of one map.
type line struct {
	Address string `json:"address"`
	Owner   string `json:"owner"`
	Type    string `json:"type"`
	Key     string `json:"key"`
	Elem    string `json:"elem"`
	Len     int    `json:"len"`
}

var lines []line

// say puts down a map; owner is the variable that holds it, "" when none does at a fixed place.
func say(m any, owner string) {
	v := reflect.ValueOf(m)
	key, elem := v.Type().Key().String(), v.Type().Elem().String()
	lines = append(lines, line{fmt.Sprintf("%#x", v.Pointer()), owner,
		"map[" + key + "]" + elem, key, elem, v.Len()})
}

func main() {
	fill()
	inner.Fill()
	tell()
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(lines); err != nil {
		os.Exit(1)
	}
	bufio.NewReader(os.Stdin).ReadByte()
	keep()
}
