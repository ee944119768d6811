module sched

go 1.18
