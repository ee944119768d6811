module children

go 1.18
