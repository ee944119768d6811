// Lets main.go declare functions of the runtime.
