module maptrace

go 1.19
