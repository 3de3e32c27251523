package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"p2pchat/node"
	"p2pchat/ui"
)

// Set by the linker in a release.
var (
	version = "0.1.0-dev"
	commit  = ""
)

func idCommand(s *settings) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "id",
		Short: "show this machine's identity",
		Long:  "Show this machine's peer ID: who it is as a host, and as a member of others' hosts.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if file == "" {
				file = filepath.Join(s.data, identityFile)
			}
			key, err := node.LoadKey(file)
			if err != nil {
				return err
			}
			id, err := peer.IDFromPrivateKey(key)
			if err != nil {
				return err
			}
			if s.json {
				newReporter(true, os.Stdout, os.Stderr).line(map[string]any{"type": "id", "peer": id.String(), "file": file})
				return nil
			}
			fmt.Println(id)
			return nil
		},
	}
	c.Flags().StringVar(&file, "identity", "", "`FILE` with the key (default: identity.key in the data)")
	return c
}

func versionCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "show the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if s.json {
				newReporter(true, os.Stdout, os.Stderr).line(map[string]any{
					"type": "version", "version": version, "commit": commit, "go": runtime.Version(),
				})
				return nil
			}
			built := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
			if commit != "" {
				built = commit + ", " + built
			}
			fmt.Printf("p2pchat %s (%s)\n", version, built)
			return nil
		},
	}
}

// manCommand prints the manual: the program, each of its commands, and what can
// be typed in the chat.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "print the manual page; read it with: p2pchat man | man -l -",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			root := c.Root()
			root.DisableAutoGenTag = true
			var page bytes.Buffer
			header := &doc.GenManHeader{Title: "P2PCHAT", Section: "1", Source: "p2pchat " + version, Manual: "p2pchat"}
			if err := doc.GenMan(root, header, &page); err != nil {
				return err
			}
			fmt.Print(page.String())
			for _, sub := range root.Commands() {
				if sub.Hidden || !sub.IsAvailableCommand() {
					continue
				}
				fmt.Printf(".SH %q\n%s\n.PP\n.nf\n%s.fi\n", sub.CommandPath(), sub.Short, manText(sub.UsageString()))
			}
			fmt.Print(".SH \"IN THE CHAT\"\n", ui.CommandsMan())
			return nil
		},
	}
}

// manText keeps roff from reading commands into plain text.
func manText(s string) string {
	s = string(bytes.ReplaceAll([]byte(s), []byte(`\`), []byte(`\e`)))
	var out bytes.Buffer
	for line := range bytes.Lines([]byte(s)) {
		if bytes.HasPrefix(line, []byte(".")) || bytes.HasPrefix(line, []byte("'")) {
			out.WriteString(`\&`)
		}
		out.Write(line)
	}
	return out.String()
}
