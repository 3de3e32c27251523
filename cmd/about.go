package cmd

import (
	"fmt"
	"os"
	"runtime"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/spf13/cobra"

	"p2pchat/node"
	"p2pchat/rooms"
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
		Long: `Show this machine's peer ID: who it is as a host, and as a member of others' hosts;
and its key as twelve words, for others to compare with what /verify or a warning
shows them.`,
		Args: takes(),
		RunE: func(*cobra.Command, []string) error {
			key, path, err := s.ownKey(file)
			if err != nil {
				return err
			}
			id, err := peer.IDFromPrivateKey(key)
			if err != nil {
				return err
			}
			words, err := node.Words(rooms.PeerID(id.String()))
			if err != nil {
				return err
			}
			if s.json {
				newReporter(true, stdout, os.Stderr).line(map[string]any{"type": "id", "peer": id.String(), "words": words, "file": path})
				return nil
			}
			fmt.Fprintln(stdout, id)
			for _, row := range ui.WordRows(words) { // for people, so that stdout is the ID alone
				fmt.Fprintln(os.Stderr, row)
			}
			return nil
		},
	}
	c.Flags().StringVar(&file, "identity", "", "file of the key (default: identity.key in the data)")
	nameValues(c.Flags(), "identity", "FILE")
	return c
}

// ownKey loads the key from a file, or from the data directory when none is named.
func (s *settings) ownKey(file string) (crypto.PrivKey, string, error) {
	if file != "" {
		key, err := node.LoadKey(file)
		return key, file, err
	}
	if err := s.makeData(); err != nil {
		return nil, "", err
	}
	key, err := node.LoadKey(s.path(identityFile))
	return key, s.path(identityFile), err
}

func versionCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "show the version",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			if s.json {
				newReporter(true, stdout, os.Stderr).line(map[string]any{
					"type": "version", "version": version, "commit": commit, "go": runtime.Version(),
				})
				return nil
			}
			built := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
			if commit != "" {
				built = commit + ", " + built
			}
			fmt.Fprintf(stdout, "p2pchat %s (%s)\n", version, built)
			return nil
		},
	}
}
