module budget

go 1.18
