module dump

go 1.18
