//go:build !withcgo

package main

const hasC = false

func allocateC(bytes int) {}
