module hmapbench

go 1.18
