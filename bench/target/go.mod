module mapscope.bench/target

go 1.18
