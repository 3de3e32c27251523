package relay

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// records keeps where hosts are, for a relay's part of the directory: one record a
// host, under the key that is made of its ID and no other. libp2p's own store takes
// any number of keys from anybody.
type records struct {
	mu  sync.Mutex // guards all
	all map[string]record
}

type record struct {
	host peer.AddrInfo
	at   time.Time
}

const (
	recordLife  = 24 * time.Hour
	recordsMost = 65_536
	recordAddrs = 16
)

var errRecord = errors.New("not the key of this peer, or no room")

func newRecords() *records { return &records{all: map[string]record{}} }

// AddProvider keeps a record if the key is the peer's own.
func (r *records) AddProvider(_ context.Context, at []byte, host peer.AddrInfo) error {
	if !bytes.Equal(at, key(host.ID).Hash()) {
		return errRecord
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.all[string(at)]; !known && len(r.all) >= recordsMost && !r.expire() {
		return errRecord
	}
	host.Addrs = host.Addrs[:min(len(host.Addrs), recordAddrs)]
	r.all[string(at)] = record{host, time.Now()}
	return nil
}

// expire drops what is too old; it is false when that was nothing.
func (r *records) expire() bool {
	before := len(r.all)
	for k, v := range r.all {
		if time.Since(v.at) > recordLife {
			delete(r.all, k)
		}
	}
	return len(r.all) < before
}

// GetProviders returns the host whose key this is, if it is known.
func (r *records) GetProviders(_ context.Context, at []byte) ([]peer.AddrInfo, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.all[string(at)]
	if !ok || time.Since(v.at) > recordLife {
		return nil, nil
	}
	return []peer.AddrInfo{v.host}, nil
}

// Close does nothing: the records are in memory only.
func (r *records) Close() error { return nil }
