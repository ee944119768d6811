module collections

go 1.18
