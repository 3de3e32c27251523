// Command p2pchat is a chat server that lives on a person's own machine, and the
// client for it.
package main

import (
	"os"

	"p2pchat/cmd"
)

func main() { os.Exit(cmd.Main()) }
