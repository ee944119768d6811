module ballast

go 1.18
