module locks

go 1.18
