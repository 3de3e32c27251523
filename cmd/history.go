package cmd

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"p2pchat/history"
	"p2pchat/rooms"
	"p2pchat/ui"
)

func historyCommand(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "history",
		Short: "read the stored history, host running or not",
	}
	c.AddCommand(historyList(s), historyShow(s), historySearch(s), historyExport(s), historyVerify(s))
	return c
}

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

// log opens a room's log, named by identifier or by the name of its directory.
func (a *archive) log(name string) (storedRoom, *history.Log, error) {
	for _, r := range a.rooms {
		if strings.EqualFold(string(r.id), name) || hex.EncodeToString(r.key[:]) == name {
			l, err := a.store.Room(r.key)
			return r, l, err
		}
	}
	return storedRoom{}, nil, rooms.Refuse(rooms.NoSuchRoom, "p2pchat history list shows them", "there is no room %q on this disk", name)
}

func historyList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "show the rooms that have a history",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a, err := openArchive(s)
			if err != nil {
				return err
			}
			defer a.store.Close()
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			defer w.Flush()
			for _, r := range a.rooms {
				if err := a.describe(s, w, r); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (a *archive) describe(s *settings, w io.Writer, r storedRoom) error {
	if !r.kept {
		return nil
	}
	_, l, err := a.log(hex.EncodeToString(r.key[:]))
	if err != nil {
		return err
	}
	defer l.Close()
	fields := map[string]any{"type": "room", "room": r.id, "dir": hex.EncodeToString(r.key[:]), "messages": l.Head()}
	last, text := "", "nothing was said yet"
	if page, err := l.Last(1); err == nil && len(page) == 1 {
		last = page[0].Time.UTC().Format(time.RFC3339)
		fields["last"] = last
		text = "last on " + page[0].Time.Local().Format(time.DateTime)
	}
	if s.json {
		newReporter(true, w, w).line(fields)
		return nil
	}
	_, err = fmt.Fprintf(w, "#%s\t%d messages\t%s\n", ui.Sanitize(string(r.id)), l.Head(), text)
	return err
}

func historyShow(s *settings) *cobra.Command {
	var n int
	c := &cobra.Command{
		Use:   "show ROOM",
		Short: "show the latest messages of a room",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := openArchive(s)
			if err != nil {
				return err
			}
			defer a.store.Close()
			r, l, err := a.log(args[0])
			if err != nil {
				return err
			}
			defer l.Close()
			from := rooms.Seq(0)
			if n > 0 && l.Head() > rooms.Seq(n) {
				from = l.Head() - rooms.Seq(n)
			}
			return each(l, from, func(m rooms.Message) error { return writeMessage(os.Stdout, r.id, m, s.json) })
		},
	}
	c.Flags().IntVarP(&n, "number", "n", 50, "how many messages, 0: all")
	return c
}

func historySearch(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "search ROOM TEXT",
		Short: "show the messages of a room that contain TEXT, ignoring case",
		Args:  cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := openArchive(s)
			if err != nil {
				return err
			}
			defer a.store.Close()
			r, l, err := a.log(args[0])
			if err != nil {
				return err
			}
			defer l.Close()
			wanted := strings.ToLower(args[1])
			return each(l, 0, func(m rooms.Message) error {
				if !strings.Contains(strings.ToLower(m.Text), wanted) {
					return nil
				}
				return writeMessage(os.Stdout, r.id, m, s.json)
			})
		},
	}
}

func historyExport(s *settings) *cobra.Command {
	var format, file string
	c := &cobra.Command{
		Use:   "export ROOM",
		Short: "write a room's whole history: jsonl or text",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if format != "jsonl" && format != "text" {
				return usagef("--format %q: it is jsonl or text", format)
			}
			a, err := openArchive(s)
			if err != nil {
				return err
			}
			defer a.store.Close()
			r, l, err := a.log(args[0])
			if err != nil {
				return err
			}
			defer l.Close()
			out := os.Stdout
			if file != "" {
				if out, err = os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600); err != nil {
					return err
				}
			}
			err = each(l, 0, func(m rooms.Message) error { return writeMessage(out, r.id, m, format == "jsonl") })
			if file != "" {
				err = errors.Join(err, out.Sync(), out.Close())
			}
			return err
		},
	}
	c.Flags().StringVar(&format, "format", "jsonl", "jsonl or text")
	c.Flags().StringVarP(&file, "output", "o", "", "`FILE` to write to; it must not exist (default: standard output)")
	return c
}

func historyVerify(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [ROOM]",
		Short: "read every message and check that nothing is damaged or missing",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := openArchive(s)
			if err != nil {
				return err
			}
			defer a.store.Close()
			bad := 0
			for _, r := range a.rooms {
				if !r.kept || len(args) == 1 && !strings.EqualFold(string(r.id), args[0]) {
					continue
				}
				whole, err := a.verify(s, r)
				if err != nil {
					return err
				}
				if !whole {
					bad++
				}
			}
			if bad > 0 {
				return silentError{&history.DamageError{}}
			}
			return nil
		},
	}
}

// verify checks one room and tells what it found.
func (a *archive) verify(s *settings, r storedRoom) (whole bool, err error) {
	report, err := a.store.Verify(r.key)
	if err != nil {
		return false, err
	}
	problems := make([]string, 0, len(report.Problems))
	for _, p := range report.Problems {
		problems = append(problems, p.String())
	}
	if s.json {
		newReporter(true, os.Stdout, os.Stderr).line(map[string]any{
			"type": "verify", "room": r.id, "messages": report.Messages, "first": report.First, "last": report.Last,
			"segments": report.Segments, "bytes": report.Bytes, "torn": report.Torn, "chain": report.Chain, "problems": problems,
		})
		return report.Whole(), nil
	}
	state := "whole"
	if !report.Whole() {
		state = "DAMAGED"
	}
	fmt.Printf("#%s: %s, %d messages in %s\n", ui.Sanitize(string(r.id)), state, report.Messages, byteCount(report.Bytes))
	for _, p := range problems {
		fmt.Printf("  %s\n", p)
	}
	return report.Whole(), nil
}

// each calls f for every message behind from.
func each(l *history.Log, from rooms.Seq, f func(rooms.Message) error) error {
	for {
		page, err := l.After(from, 256)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		for _, m := range page {
			if err := f(m); err != nil {
				return err
			}
			from = m.Seq
		}
	}
}

// writeMessage writes a message as the chat writes it into a pipe, or as JSON.
func writeMessage(out io.Writer, room rooms.RoomID, m rooms.Message, asJSON bool) error {
	m.Room = room
	if !asJSON {
		_, err := fmt.Fprintln(out, ui.MessageLine(m))
		return err
	}
	b, err := json.Marshal(ui.MessageObject(m))
	if err != nil {
		return err
	}
	_, err = out.Write(append(b, '\n'))
	return err
}
