package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/libp2p/go-libp2p/core/crypto"
)

// ErrDamagedKey says that the file of an identity holds none.
var ErrDamagedKey = errors.New("is damaged")

// LoadKey reads an identity, or makes one if there is none: an ed25519 key in
// libp2p's own encoding, readable by its owner only. A key that others can read
// is refused, as ssh does, and an existing file is never overwritten: where it
// holds no key, the error wraps ErrDamagedKey. Two programs that make one at the
// same time end up with the same key.
func LoadKey(path string) (crypto.PrivKey, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := makeKey(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("making the identity %s: %w", path, err)
	}
	return readKey(path)
}

func readKey(path string) (crypto.PrivKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("the identity %s can be read by others (mode %04o); make it yours alone with: chmod 600 %s", path, mode, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the identity: %w", err)
	}
	key, err := crypto.UnmarshalPrivateKey(b)
	if err != nil || key.Type() != crypto.Ed25519 {
		return nil, fmt.Errorf("the identity %s %w; put it back from a backup, or move it away and get a new identity", path, ErrDamagedKey)
	}
	return key, nil
}

// makeKey writes a new key under a temporary name and links it to its place, so
// that nobody ever sees a part of it.
func makeKey(path string) error {
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	if err != nil {
		return err
	}
	b, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".identity-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in a directory durable, where the system can.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
