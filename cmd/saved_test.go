package cmd

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"

	"p2pchat/node"
)

const savedPeer = "12D3KooWGRUYUXXAzXxfU1dTr2UVs7aGbYVNEKJjKm8oeqg4yYxR"

// TestSavedHostsAreKept: neither a very long line nor others who save at the same time
// cost a saved host.
func TestSavedHostsAreKept(t *testing.T) {
	s := &settings{data: t.TempDir()}
	var file strings.Builder
	for name, addr := range map[string]string{"long": "/dns4/" + strings.Repeat("x", 100<<10), "short": "/ip4/127.0.0.1/tcp/1"} {
		if err := json.NewEncoder(&file).Encode(savedHost{name, savedPeer, []string{addr}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.path(savedFile), []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	id, err := peer.Decode(savedPeer)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := s.saveHost(fmt.Sprint("host-", i), node.Target{AddrInfo: peer.AddrInfo{ID: id}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if names, err := s.savedNames(); err != nil || len(names) != 22 {
		t.Errorf("saved are %q, %v", names, err)
	}
}
