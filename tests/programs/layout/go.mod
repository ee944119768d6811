module mapscope.test/layout

go 1.18
