// With a file of this kind in a package, a function may be declared without a body: roundupsize.
