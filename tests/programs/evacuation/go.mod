module evacuation

go 1.18
