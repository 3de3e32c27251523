package cmd

import (
	"encoding/hex"
	"errors"
	"strings"

	"p2pchat/history"
	"p2pchat/rooms"
)

// archive is the stored history, read only.
type archive struct {
	store *history.Store
	rooms []storedRoom
}

// storedRoom is a room on disk. One that was closed has lost its name.
type storedRoom struct {
	key  rooms.RoomKey
	id   rooms.RoomID
	kept bool // false: a room without history
}

// openArchive opens the data directory for reading and finds the rooms in it.
func openArchive(s *settings) (*archive, error) {
	if err := s.log(""); err != nil {
		return nil, err
	}
	store, err := history.View(s.data)
	if err != nil {
		return nil, err
	}
	a := &archive{store: store}
	if err := a.find(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return a, nil
}

func (a *archive) find() error {
	changes, err := a.store.Changes()
	if err != nil {
		return err
	}
	registry := rooms.NewRegistry(rooms.DefaultLimits(), "")
	for _, c := range changes {
		registry.Apply(c)
	}
	named := map[rooms.RoomKey]bool{}
	for _, o := range registry.Rooms() {
		named[o.Key] = true
		a.rooms = append(a.rooms, storedRoom{key: o.Key, id: o.Room, kept: !o.NoHistory})
	}
	keys, err := a.store.RoomKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if !named[key] {
			a.rooms = append(a.rooms, storedRoom{key: key, id: rooms.RoomID(hex.EncodeToString(key[:])), kept: true})
		}
	}
	return nil
}

// each calls f for every room with a history that name names; empty: all.
func (a *archive) each(name string, f func(storedRoom) error) error {
	found := false
	for _, r := range a.rooms {
		if !r.kept || name != "" && !r.named(name) {
			continue
		}
		found = true
		if err := f(r); err != nil {
			return err
		}
	}
	if name != "" && !found {
		return rooms.Refuse(rooms.NoSuchRoom, "p2pchat history list shows them", "there is no room %q on this disk", name)
	}
	return nil
}

// named tells whether a room goes by a name: its identifier, or its directory's.
func (r storedRoom) named(name string) bool {
	return strings.EqualFold(string(r.id), name) || hex.EncodeToString(r.key[:]) == name
}

// withArchive opens the archive for the duration of f.
func withArchive(s *settings, f func(*archive) error) error {
	a, err := openArchive(s)
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.store.Close())
}

// withRoom opens the log of one room for the duration of f.
func withRoom(s *settings, name string, f func(rooms.RoomID, *history.Log) error) error {
	return withArchive(s, func(a *archive) error {
		return a.each(name, func(r storedRoom) error { return a.withLog(r, f) })
	})
}

func (a *archive) withLog(r storedRoom, f func(rooms.RoomID, *history.Log) error) error {
	l, err := a.store.Room(r.key)
	if err != nil {
		return err
	}
	return errors.Join(f(r.id, l), l.Close())
}

// messages calls f for every message of a log behind from.
func messages(l *history.Log, from rooms.Seq, f func(rooms.Message) error) error {
	for {
		page, err := l.After(from, 256)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			if err := f(m); err != nil {
				return err
			}
			from = m.Seq
		}
	}
}
