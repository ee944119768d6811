//go:build withcgo

package main

import "C"

// With C the linker keeps its code and startup, which changes where things lie in the process; the
// blank line above keeps this from being C itself.
