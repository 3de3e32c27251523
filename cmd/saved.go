package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/history"
	"p2pchat/node"
	"p2pchat/rooms"
)

// savedHost is a line of the file of saved hosts. A name is pinned to a peer ID:
// another host at the same address is refused.
type savedHost struct {
	Name  string   `json:"name"`
	Peer  string   `json:"peer"`
	Addrs []string `json:"addrs"`
}

// savedHost finds a host that was saved under a name.
func (s *settings) savedHost(name string) (node.Target, bool, error) {
	all, err := s.savedHosts()
	if err != nil {
		return node.Target{}, false, err
	}
	for _, h := range all {
		if h.Name != name {
			continue
		}
		id, err := peer.Decode(h.Peer)
		if err != nil {
			return node.Target{}, false, fmt.Errorf("%s: the peer ID of %q can't be read", s.path(savedFile), name)
		}
		return node.Target{AddrInfo: peer.AddrInfo{ID: id, Addrs: h.addrs()}}, true, nil
	}
	return node.Target{}, false, nil
}

// addrsOf returns where a host was, if it was saved under any name.
func (s *settings) addrsOf(id peer.ID) ([]ma.Multiaddr, error) {
	all, err := s.savedHosts()
	var addrs []ma.Multiaddr
	for _, h := range all {
		if h.Peer == id.String() {
			addrs = append(addrs, h.addrs()...)
		}
	}
	return ma.Unique(addrs), err
}

// addrs are those that can be read.
func (h savedHost) addrs() (addrs []ma.Multiaddr) {
	for _, text := range h.Addrs {
		if a, err := ma.NewMultiaddr(text); err == nil {
			addrs = append(addrs, a)
		}
	}
	return addrs
}

func (s *settings) path(file string) string { return filepath.Join(s.data, file) }

func (s *settings) savedHosts() ([]savedHost, error) {
	b, err := os.ReadFile(s.path(savedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []savedHost
	for line := range bytes.Lines(b) {
		var h savedHost
		if json.Unmarshal(line, &h) == nil && h.Name != "" {
			all = append(all, h)
		}
	}
	return all, nil
}

// savedNames are the names of the saved hosts.
func (s *settings) savedNames() ([]string, error) {
	all, err := s.savedHosts()
	names := make([]string, 0, len(all))
	for _, h := range all {
		names = append(names, h.Name)
	}
	return names, err
}

// mayBeSaved tells whether a host can be saved under a name, which may be another's.
func (s *settings) mayBeSaved(name string, id peer.ID, all []savedHost) error {
	if _, refusal := rooms.DefaultLimits().ParseRoomID(name); refusal != nil {
		return usagef("--save %q: a name has letters, digits, _ . -", name)
	}
	for _, h := range all {
		if h.Name == name && h.Peer != id.String() {
			return ownError{rooms.Refuse(rooms.NameTaken, "save it under another name, or take the old line out of "+s.path(savedFile),
				"%q is already the name of another host: %s", name, h.Peer)}
		}
	}
	return nil
}

// saveHost remembers where a host is. The secret of an invite is not kept.
func (s *settings) saveHost(name string, t node.Target) error {
	held, err := history.Hold(s.path(savedFile)) // or two joins at a time forget each other's
	if err != nil {
		return err
	}
	defer held.Close()
	all, err := s.savedHosts()
	if err != nil {
		return err
	}
	if err := s.mayBeSaved(name, t.ID, all); err != nil {
		return err
	}
	kept := []savedHost{{Name: name, Peer: t.ID.String(), Addrs: texts(t.Addrs)}}
	for _, h := range all {
		if h.Name != name {
			kept = append(kept, h)
		}
	}
	return s.writeSaved(kept)
}

func (s *settings) writeSaved(all []savedHost) error {
	f, err := os.CreateTemp(s.data, ".known_hosts-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	for _, h := range all {
		b, err := json.Marshal(h)
		if err == nil {
			_, err = f.Write(append(b, '\n'))
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), s.path(savedFile))
}
