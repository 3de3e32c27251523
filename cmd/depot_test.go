package cmd

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/files"
	"p2pchat/history"
	"p2pchat/node"
	"p2pchat/relay"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// Whose file changes while it is sent is told so, and not only that the host has got
// something else.
func TestUploadOfAChangingFile(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d := &depot{client: lobby(ctx, t), temp: t.TempDir()}
	path := filepath.Join(t.TempDir(), "a.bin")
	if err := os.WriteFile(path, []byte("\x00right!"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1e9, 0)); err != nil {
		t.Fatal(err)
	}
	change := sync.OnceFunc(func() {
		if err := os.WriteFile(path, []byte("\x00WRONG!"), 0o600); err != nil {
			t.Error(err)
		}
	})
	_, _, err := d.Upload(ctx, "lobby", path, func(p ui.Progress) {
		if p.Preparing && p.Done == p.Total {
			change() // it has been read for its hash, and no byte has gone out
		}
	})
	if err == nil || !strings.Contains(err.Error(), files.ErrChanged.Error()) {
		t.Errorf("while it changes: %v", err)
	}
	if file, _, err := d.Upload(ctx, "lobby", path, func(ui.Progress) {}); err != nil || file.ID == "" {
		t.Errorf("again: %v", err)
	}
}

// lobby is a member in the lobby of a host.
func lobby(ctx context.Context, t *testing.T) *node.Client {
	t.Helper()
	var keys [2]crypto.PrivKey
	for i := range keys {
		var err error
		if keys[i], _, err = crypto.GenerateEd25519Key(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	store, err := history.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	host, err := node.NewHost(node.HostConfig{
		Key: keys[0], Name: "test", Listen: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")}, Lobby: "lobby",
		Limits: rooms.DefaultLimits(), Store: storage{store},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	net, err := relay.New(relay.Config{Key: keys[1]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = net.Close() })
	id, err := peer.IDFromPrivateKey(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	target := node.Target{AddrInfo: peer.AddrInfo{ID: id, Addrs: host.Addrs()}}
	client, err := node.Dial(ctx, node.ClientConfig{Net: net, Target: target, Nick: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(ctx, rooms.Join{Room: "lobby"}); err != nil {
		t.Fatal(err)
	}
	var heard sync.WaitGroup
	heard.Go(func() {
		for range client.Events() {
		}
	})
	t.Cleanup(func() { _ = client.Close(); heard.Wait() })
	return client
}
