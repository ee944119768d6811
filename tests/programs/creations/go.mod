module creations

go 1.18
