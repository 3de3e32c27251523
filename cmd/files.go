package cmd

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"

	"p2pchat/history"
	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// Files in the data directory.
const (
	identityFile = "identity.key" // who this machine is: as a host, and as a member elsewhere
	selfFile     = "self.key"     // who it is as a member of its own host
	typedFile    = "typed"        // what was typed at the prompt
	socketFile   = "host.sock"    // for the owner of a running host
	savedFile    = "known_hosts"  // names of hosts
	notesDir     = "hosts"        // for each host and each identity on it, the notebook and the nicks
	outgoingDir  = "outgoing"     // copies of files while they are sent
	namesFile    = "names"        // among these: the key that each nick had
	peopleFile   = "people"       // keys that are verified or ignored, on all hosts
)

// socketPathLimit is the longest path that a unix socket can have on every system.
const socketPathLimit = 100

// ownerSocket returns where the owner's socket of a data directory is: inside
// it, or where that path would be too long, in a private directory of its own.
func ownerSocket(data string) (string, error) {
	data, err := filepath.Abs(data)
	if err != nil {
		return "", err
	}
	path := filepath.Join(data, socketFile)
	if len(path) <= socketPathLimit {
		return path, nil
	}
	sum := sha256.Sum256([]byte(data))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("p2pchat-%d-%s", os.Getuid(), hex.EncodeToString(sum[:8])))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ours(info) {
		return "", fmt.Errorf("%s can be used by others; remove it", dir)
	}
	return filepath.Join(dir, socketFile), nil
}

// identity loads the key to join a host with. A host can't connect to itself, so
// on one's own host one is a member with a key of its own.
func (s *settings) identity(file string, target peer.ID) (crypto.PrivKey, error) {
	if file != "" {
		return node.LoadKey(file)
	}
	if err := s.makeData(); err != nil {
		return nil, err
	}
	key, err := node.LoadKey(s.path(identityFile))
	if err != nil {
		return nil, s.dataError(err)
	}
	if target.MatchesPrivateKey(key) {
		return node.LoadKey(s.path(selfFile))
	}
	return key, nil
}

// notebook opens what is noted of a host; nil where that can't be, which is told unless
// another chat on the same host has it.
func (s *settings) notebook(w rooms.Welcome) (*history.Notebook, error) {
	if err := s.makeData(); err != nil {
		return nil, err
	}
	book, err := history.OpenNotebook(filepath.Join(s.data, notesDir, string(w.Host), string(w.Peer)))
	var inUse *history.InUseError
	switch {
	case errors.As(err, &inUse):
		if !s.json {
			fmt.Fprintln(os.Stderr, "you are connected from another terminal, too, and are one person in both; for a second one: --data DIR")
		}
		return nil, nil
	case err != nil:
		fmt.Fprintf(os.Stderr, "what the host has not confirmed is lost when you leave: %v\n", err)
		return nil, nil
	case book.Aside() != nil:
		fmt.Fprintf(os.Stderr, "what was noted of this host before is set aside: %v\n", book.Aside())
	}
	return book, nil
}

// people lets a chat remember other members. done writes what is left. Where that can't
// be, which is told, the chat remembers them until its end.
func (s *settings) people(o *ui.Options, w rooms.Welcome) (done func()) {
	tell := func(err error) { fmt.Fprintf(os.Stderr, "whom you have met is forgotten when you leave: %v\n", err) }
	book, err := history.OpenPeople(s.path(peopleFile), filepath.Join(s.data, notesDir, string(w.Host), string(w.Peer), namesFile))
	if err != nil {
		tell(err)
		return func() {}
	}
	o.People = book
	return func() {
		if err := book.Close(); err != nil {
			tell(err)
		}
	}
}

// storage makes a node.Store of a history.Store.
type storage struct{ *history.Store }

// Upload begins to take a file, or goes on.
func (s storage) Upload(room rooms.RoomKey, peer rooms.PeerID, f rooms.File, allow func(rooms.Usage, int64) *rooms.Refusal) (node.Upload, error) {
	u, err := s.Store.Upload(room, peer, f, allow)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Content opens a file.
func (s storage) Content(room rooms.RoomKey, id string) (node.Content, error) {
	c, err := s.Store.Content(room, id)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Log opens a room's log.
func (s storage) Log(key rooms.RoomKey) (node.Log, error) { return s.Room(key) }
