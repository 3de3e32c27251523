package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"p2pchat/node"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// sendFlags are the flags of p2pchat send.
type sendFlags struct {
	member memberFlags
	shared []string
	files  carryFlags
}

func sendCommand(s *settings) *cobra.Command {
	f := &sendFlags{}
	c := &cobra.Command{
		Use:   "send TARGET --room ID [TEXT]",
		Short: "say one thing and leave",
		Long: `Say one thing in a room and leave. Without TEXT, or where it is -, all of standard
input is the message, in UTF-8. With --file it shares a file, and TEXT is its caption, or with
several that of the last. It exits with 0 once that is on the host's disk.`,
		Example: "  echo hi | p2pchat send home --room dev\n  p2pchat send home --room dev --file cat.png \"my cat\"",
		Args:    takes("TARGET", "[TEXT]"),

		ValidArgsFunction: s.offerSaved,

		RunE: func(c *cobra.Command, args []string) error { return s.explain(f.run(c.Context(), s, args)) },
	}
	f.member.flags(c.Flags())
	c.Flags().StringArrayVar(&f.shared, "file", nil, "a file to share (repeatable)")
	f.files.keep(c.Flags())
	nameValues(c.Flags(), "file", "PATH")
	return c
}

func (f *sendFlags) run(ctx context.Context, s *settings, args []string) error {
	if err := s.log(""); err != nil {
		return err
	}
	target, err := s.target(args[0])
	if err != nil {
		return err
	}
	lines, err := f.lines(args[1:])
	if err != nil {
		return err
	}
	client, done, err := s.connectTo(ctx, target, f.member)
	if err != nil {
		return err
	}
	defer done()
	entered, err := client.Do(ctx, rooms.Join{Room: f.member.room, Invite: target.Invite})
	if err != nil {
		return err
	}
	room := entered.(rooms.Entered).Room.Room
	for i, say := range lines {
		if say.Kind == rooms.FileUp {
			if say.File, err = f.share(ctx, s, client, room, f.shared[i]); err != nil {
				return err
			}
		}
		said, err := sayPatiently(ctx, client, say)
		if err != nil {
			return err
		}
		s.tellSaid(room, said, say.File)
	}
	return nil
}

// tellSaid answers a program.
func (s *settings) tellSaid(room rooms.RoomID, said rooms.Said, file string) {
	if !s.json {
		return
	}
	answer := map[string]any{"type": "ok", "room": room, "seq": said.Seq}
	if file != "" {
		answer["file"] = file
	}
	newReporter(true, stdout, os.Stderr).line(answer)
}

// lines are what is to be said; files still have to be brought to the host.
func (f *sendFlags) lines(args []string) ([]rooms.Say, error) {
	text := ""
	if len(args) > 0 || len(f.shared) == 0 {
		var err error
		if text, err = messageText(args); err != nil {
			return nil, err
		}
	}
	if len(f.shared) == 0 {
		return []rooms.Say{{Kind: rooms.Text, Text: text}}, nil
	}
	lines := make([]rooms.Say, len(f.shared))
	for i, path := range f.shared {
		if _, err := os.Stat(path); err != nil {
			return nil, ownError{plainly(err)}
		}
		lines[i] = rooms.Say{Kind: rooms.FileUp}
	}
	lines[len(lines)-1].Text = text
	return lines, nil
}

// share brings the file to the host, and tells a person how that goes.
func (f *sendFlags) share(ctx context.Context, s *settings, client *node.Client, room rooms.RoomID, path string) (id string, err error) {
	d := &depot{client: client, temp: s.path(outgoingDir), whole: f.files.metadata}
	told := func(ui.Progress) {}
	if !s.json && isTerminal(os.Stderr) && canEdit() {
		told = func(p ui.Progress) {
			fmt.Fprint(os.Stderr, "\r", ui.ProgressText(path, p, ui.TerminalWidth(os.Stderr)), "\x1b[K")
		}
		defer fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
	file, notice, err := d.Upload(ctx, room, path, told)
	if notice != "" {
		fmt.Fprintln(os.Stderr, ui.Sanitize(notice))
	}
	return file.ID, err
}

// messageText is TEXT, or all of standard input without its last line end. The host takes
// UTF-8 only: of anything else some other characters would be stored.
func messageText(args []string) (string, error) {
	limit := rooms.DefaultLimits().TextBytes
	text := strings.Join(args, " ")
	if len(args) == 0 || text == "-" {
		most := int64(limit) + 3 // more than any text with its line end
		b, err := io.ReadAll(io.LimitReader(os.Stdin, most))
		if err != nil {
			return "", fmt.Errorf("reading the message: %w", err)
		}
		if int64(len(b)) == most { // too long, whatever it ends in
			return "", rooms.Refuse(rooms.TooLong, "send it in parts, or as a file with --file", "this message has more than the %d bytes that are allowed", limit)
		}
		text = strings.TrimRight(string(b), "\r\n")
	}
	if !utf8.ValidString(text) {
		return "", rooms.Refuse(rooms.BadRequest, "convert it first, as iconv does", "the message is not UTF-8 text")
	}
	return text, nil
}

// connectTo connects where a room is known to be entered.
func (s *settings) connectTo(ctx context.Context, t node.Target, m memberFlags) (*node.Client, func(), error) {
	if m.room == "" && t.Invite == (rooms.Capability{}) {
		return nil, nil, usagef("--room: say which room")
	}
	return s.connect(ctx, t, m)
}

// sayPatiently says a line, and waits when the host takes no more at the moment.
func sayPatiently(ctx context.Context, c *node.Client, say rooms.Say) (rooms.Said, error) {
	for {
		e, err := c.Do(ctx, say)
		if err == nil {
			return e.(rooms.Said), nil
		}
		var refusal *rooms.Refusal
		if !errors.As(err, &refusal) || refusal.Code != rooms.RateLimited {
			return rooms.Said{}, err
		}
		t := time.NewTimer(refusal.Retry)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return rooms.Said{}, ctx.Err()
		}
	}
}

// tailCommand follows a room.
func tailCommand(s *settings) *cobra.Command {
	m := &memberFlags{}
	c := &cobra.Command{
		Use:   "tail TARGET --room ID",
		Short: "follow a room, read only",
		Long: `Follow a room: every message is written as a line with time, room, nick and text,
tabs between them, or as JSON. Nothing can be said, and it ends with Ctrl-C.`,
		Args:              takes("TARGET"),
		ValidArgsFunction: s.offerSaved,
		RunE:              func(c *cobra.Command, args []string) error { return s.explain(s.tail(c.Context(), args[0], *m)) },
	}
	m.flags(c.Flags())
	return c
}

func (s *settings) tail(ctx context.Context, arg string, m memberFlags) error {
	if err := s.log(""); err != nil {
		return err
	}
	target, err := s.target(arg)
	if err != nil {
		return err
	}
	client, done, err := s.connectTo(ctx, target, m)
	if err != nil {
		return err
	}
	defer done()
	var session ui.Session = client
	if !s.json {
		session = newShellSession(ctx, client)
	}
	o := s.chat(session, nil)
	o.Room, o.Invite = m.room, target.Invite
	return s.ended(ui.Follow(ctx, o, stdout, os.Stderr, s.json))
}
