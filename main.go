// Command p2pchat is a chat server that lives on a person's own machine, and the
// client for it.
package main

import (
	"os"
	"runtime"

	"p2pchat/cmd"
)

func main() {
	spare()
	os.Exit(cmd.Main())
}

// spare lets Go run on one processor more than there are. A read of a terminal or a pipe,
// and a sync, keep theirs until the runtime's monitor notices that they block; it looks
// only every 10 ms. With two processors, one of which computes the hash of a file,
// nobody else would run meanwhile, and lines would be 10 to 20 ms late.
func spare() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	}
}
