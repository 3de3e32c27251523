package relay

import (
	"context"
	"fmt"
	"testing"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// A relay keeps a record under its host's own key only, one each.
func TestRecords(t *testing.T) {
	r := newRecords()
	id, err := peer.Decode(somebody)
	if err != nil {
		t.Fatal(err)
	}
	host := peer.AddrInfo{ID: id}
	for n := range 3 * recordAddrs {
		host.Addrs = append(host.Addrs, ma.StringCast(fmt.Sprintf("/ip4/8.8.8.8/tcp/%d", n+1)))
	}
	for n := range 100 {
		if err := r.AddProvider(context.Background(), []byte(fmt.Sprint("key ", n)), host); err == nil {
			t.Fatal("a record under another key")
		}
	}
	for range 100 {
		if err := r.AddProvider(context.Background(), key(id).Hash(), host); err != nil {
			t.Fatal(err)
		}
	}
	found, err := r.GetProviders(context.Background(), key(id).Hash())
	if err != nil || len(found) != 1 || found[0].ID != id || len(found[0].Addrs) != recordAddrs || len(r.all) != 1 {
		t.Errorf("found %v, %v, of %d records", found, err, len(r.all))
	}
	if found, _ := r.GetProviders(context.Background(), []byte("another")); found != nil {
		t.Errorf("found %v under another key", found)
	}
}
