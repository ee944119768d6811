module shrunk

go 1.18
