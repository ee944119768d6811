module memprofile

go 1.18
