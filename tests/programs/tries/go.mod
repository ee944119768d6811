module tries

go 1.24
