package cmd

import (
	"os"
	"runtime"
)

// spare lets the Go of a client run on one processor more than there are. A read of a
// terminal or a pipe keeps one until the runtime's monitor notices that it blocks; that
// looks only every 10 ms. With two processors, one of which computes the hash of a file
// that is sent, neither keys nor the network would be looked at meanwhile, and lines
// would be 10 to 20 ms late. A host does without:
// it reads nothing but its console.
func spare() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
