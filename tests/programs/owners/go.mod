module example.test/deep

go 1.18
