package cmd

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"p2pchat/history"
	"p2pchat/rooms"
)

// archive is the stored history, read only.
type archive struct {
	store  *history.Store
	rooms  []storedRoom
	damage error // of the state: the rooms have no names
}

// storedRoom is a room with a history on disk.
type storedRoom struct {
	key    rooms.RoomKey
	id     rooms.RoomID
	closed bool // its name is free again, and another room may have it
}

// openArchive opens the data directory for reading and finds the rooms in it.
func openArchive(s *settings) (*archive, error) {
	if err := s.log(""); err != nil {
		return nil, err
	}
	store, err := history.View(s.data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nothing is stored in %s yet; p2pchat host begins it, --data names another directory", s.data)
	} else if err != nil {
		return nil, s.dataError(err)
	}
	a := &archive{store: store}
	if err := a.find(); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return a, nil
}

func (a *archive) find() error {
	changes, err := a.store.Changes()
	if damage := (*history.DamageError)(nil); errors.As(err, &damage) {
		a.damage = err // the rooms can be read all the same, by the names of their directories
	} else if err != nil {
		return err
	}
	registry := rooms.NewRegistry(rooms.DefaultLimits(), "")
	for _, c := range changes {
		registry.Apply(c)
	}
	known := map[rooms.RoomKey]storedRoom{}
	for _, o := range registry.Rooms() {
		known[o.Key] = storedRoom{key: o.Key, id: o.Room}
	}
	for _, o := range registry.Ended() {
		known[o.Key] = storedRoom{key: o.Key, id: o.Room, closed: true}
	}
	keys, err := a.store.RoomKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		r, ok := known[key]
		if !ok { // the host was stopped between making it and writing that down
			r = storedRoom{key: key, id: rooms.RoomID(hex.EncodeToString(key[:])), closed: true}
		}
		a.rooms = append(a.rooms, r)
	}
	slices.SortStableFunc(a.rooms, func(x, y storedRoom) int {
		return strings.Compare(strings.ToLower(string(x.id)), strings.ToLower(string(y.id)))
	})
	return nil
}

// each calls f for every room that name names; empty: all. A room that is open
// goes before closed ones of the same name.
func (a *archive) each(name string, f func(storedRoom) error) error {
	name = strings.TrimPrefix(name, "#")
	found := slices.DeleteFunc(slices.Clone(a.rooms), func(r storedRoom) bool { return name != "" && !r.named(name) })
	if name != "" && slices.ContainsFunc(found, func(r storedRoom) bool { return !r.closed }) {
		found = slices.DeleteFunc(found, func(r storedRoom) bool { return r.closed })
	}
	if name != "" && len(found) == 0 {
		return rooms.Refuse(rooms.NoSuchRoom, "p2pchat history list shows them", "there is no room %q on this disk", name)
	}
	for _, r := range found {
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// named tells whether a room goes by a name: its identifier, or its directory's.
func (r storedRoom) named(name string) bool {
	base, _, _ := strings.Cut(string(r.id), "~") // a private room's name, without its suffix
	return strings.EqualFold(string(r.id), name) || strings.EqualFold(base, name) || hex.EncodeToString(r.key[:]) == name
}

// withArchive opens the archive for the duration of f.
func withArchive(s *settings, f func(*archive) error) error {
	a, err := openArchive(s)
	if err != nil {
		return err
	}
	return errors.Join(f(a), a.damage, a.store.Close())
}

// withRoom opens the log of one room for the duration of f.
func withRoom(s *settings, name string, f func(rooms.RoomID, *history.Log) error) error {
	return withArchive(s, func(a *archive) error {
		return a.each(name, func(r storedRoom) error {
			return a.withLog(r, func(id rooms.RoomID, l *history.Log) error { return errors.Join(f(id, l), l.Damage()) })
		})
	})
}

func (a *archive) withLog(r storedRoom, f func(rooms.RoomID, *history.Log) error) error {
	l, err := a.store.Room(r.key)
	if err != nil {
		return err
	}
	return errors.Join(f(r.id, l), l.Close())
}

// messages calls f for every message of a log behind from. What is damaged is left out,
// and is the error at the end.
func messages(l *history.Log, from rooms.Seq, f func(rooms.Message) error) error {
	var skipped error
	for {
		page, err := l.After(from, 256)
		if damage := (*history.DamageError)(nil); errors.As(err, &damage) && damage.Before > from+1 {
			from, skipped = damage.Before-1, cmp.Or(skipped, err)
			continue
		}
		if err != nil || len(page) == 0 {
			return cmp.Or(err, skipped)
		}
		for _, m := range page {
			if err := f(m); err != nil {
				return err
			}
			from = m.Seq
		}
	}
}

// found is messages for those that contain a text.
func found(ctx context.Context, l *history.Log, text string, f func(rooms.Message) error) error {
	var skipped error
	for after, end := rooms.Seq(0), false; !end; {
		page, next, err := l.SearchAfter(ctx, text, after, 256)
		for _, m := range page {
			if err := f(m); err != nil {
				return err
			}
		}
		damage := (*history.DamageError)(nil)
		switch {
		case err == nil:
			after, end = next, next == 0
		case errors.As(err, &damage) && damage.Before > max(after, next)+1:
			after, skipped = damage.Before-1, cmp.Or(skipped, err)
		default:
			return err
		}
	}
	return skipped
}
