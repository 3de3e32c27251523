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
	c.AddCommand(historyList(s), historyShow(s), historySearch(s), historyExport(s), historyVerify(s), historyRepair(s))
	return c
}

func historyList(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "show the rooms that have a history",
		Args:  takes(),
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
			err := withArchive(s, func(a *archive) error {
				return a.each("", func(r storedRoom) error { return a.describe(s, w, r) })
			})
			return errors.Join(err, w.Flush())
		},
	}
}

// describe writes a line about a room.
func (a *archive) describe(s *settings, w io.Writer, r storedRoom) error {
	return a.withLog(r, func(id rooms.RoomID, l *history.Log) error {
		fields := map[string]any{"type": "room", "room": id, "dir": hex.EncodeToString(r.key[:]), "messages": l.Head() - l.First() + 1, "damaged": l.Damage() != nil, "closed": r.closed}
		text := "nothing was said yet"
		if page, err := l.Last(1); err == nil && len(page) == 1 {
			fields["last"] = page[0].Time.UTC().Format(time.RFC3339)
			text = "last on " + page[0].Time.Local().Format(time.DateTime)
		}
		if n, err := a.store.Attachments(r.key); err == nil && n > 0 {
			fields["files"] = n
			text += fmt.Sprintf(", %d files", n)
		}
		if r.closed {
			text += ", closed"
		}
		if s.json {
			newReporter(true, w, w).line(fields)
			return nil
		}
		if l.Damage() != nil {
			text += ", DAMAGED behind that: see p2pchat history verify"
		}
		_, err := fmt.Fprintf(w, "#%s\t%s\t%s\n", ui.Sanitize(string(id)), plural(l.Head()-l.First()+1, "message"), text)
		return err
	})
}

func historyShow(s *settings) *cobra.Command {
	var n int
	var since string
	c := &cobra.Command{
		Use:   "show ROOM",
		Short: "show the latest messages of a room",
		Args:  takes("ROOM"),
		RunE: func(c *cobra.Command, args []string) error {
			if n < 0 {
				return usagef("--number %d: say how many messages, or 0 for all", n)
			}
			if since != "" && !c.Flags().Changed("number") {
				n = 0 // the time alone is the bound
			}
			return withRoom(s, args[0], func(id rooms.RoomID, l *history.Log) error {
				from, err := latest(l, since, rooms.Seq(n))
				if err != nil {
					return err
				}
				return messages(l, from, func(m rooms.Message) error { return writeMessage(stdout, id, m, s.json) })
			})
		},
	}
	c.Flags().IntVarP(&n, "number", "n", 50, "how many messages; 0: all")
	c.Flags().StringVar(&since, "since", "", "of the last 30m, 24h, 7d …; without -n all of them")
	nameValues(c.Flags(), "number", "N", "since", "TIME")
	return c
}

// latest returns the message behind which the last n begin, 0: all, of those since a
// time, if one is given.
func latest(l *history.Log, since string, n rooms.Seq) (rooms.Seq, error) {
	from := l.First() - 1
	if since != "" {
		age, err := ui.ParseLife(since)
		if err != nil || age < 0 {
			return 0, usagef("--since %q: say a time like 30m, 24h or 7d", since)
		}
		first, err := l.Since(time.Now().Add(-age), 1)
		if err != nil || len(first) == 0 {
			return l.Head(), err
		}
		from = first[0].Seq - 1
	}
	if n > 0 && l.Head() > n {
		from = max(from, l.Head()-n)
	}
	return from, nil
}

func historySearch(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "search ROOM TEXT",
		Short: "show the messages of a room that contain TEXT, ignoring case",
		Args:  takes("ROOM", "TEXT"),
		RunE: func(c *cobra.Command, args []string) error {
			return withRoom(s, args[0], func(id rooms.RoomID, l *history.Log) error {
				return found(c.Context(), l, args[1], func(m rooms.Message) error { return writeMessage(stdout, id, m, s.json) })
			})
		},
	}
}

func historyVerify(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [ROOM]",
		Short: "read every message and check that nothing is damaged or missing",
		Args:  takes("[ROOM]"),
		RunE: func(_ *cobra.Command, args []string) error {
			damaged := false
			err := withArchive(s, func(a *archive) error {
				return a.each(strings.Join(args, ""), func(r storedRoom) error {
					whole, err := a.verify(s, r)
					damaged = damaged || !whole
					return err
				})
			})
			if err == nil && damaged {
				return silentError{&history.DamageError{}}
			}
			return err
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
		newReporter(true, stdout, os.Stderr).line(map[string]any{
			"type": "verify", "room": r.id, "messages": report.Messages, "first": report.First, "last": report.Last,
			"segments": report.Segments, "lost": report.Lost, "redacted": report.Redacted, "bytes": report.Bytes, "files": report.Files, "file_bytes": report.FileBytes, "torn": report.Torn, "chain": report.Chain, "problems": problems,
		})
		return report.Whole(), nil
	}
	state := "whole"
	if !report.Whole() {
		state = "DAMAGED"
	}
	also := ""
	if report.Redacted > 0 {
		also += fmt.Sprintf(", %d of them redacted", report.Redacted)
	}
	if report.Lost > 0 {
		also += fmt.Sprintf(", %d of them lost before a repair", report.Lost)
	}
	if report.Files > 0 {
		also += fmt.Sprintf(", %d files of %s", report.Files, rooms.ByteCount(report.FileBytes))
	}
	if report.Torn > 0 {
		also += fmt.Sprintf(", %s at the end that are no whole message (a crash leaves that; the host cuts it off and keeps it in lost)", rooms.ByteCount(report.Torn))
	}
	fmt.Fprintf(stdout, "#%s: %s, %s%s, in %s\n", ui.Sanitize(string(r.id)), state, plural(report.Messages, "message"), also, rooms.ByteCount(report.Bytes))
	for _, p := range problems {
		fmt.Fprintf(stdout, "  %s\n", p)
	}
	return report.Whole(), nil
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
