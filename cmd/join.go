package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"p2pchat/node"
	"p2pchat/relay"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// joinFlags are the flags of p2pchat join.
type joinFlags struct {
	member   memberFlags
	create   rooms.Create
	makeRoom bool
	plain    bool
	commands bool
	save     string
	images   string
}

// memberFlags are what every command that connects to a host takes.
type memberFlags struct {
	nick, room, identity string
	requireDirect        bool // of join only
}

func (f *memberFlags) flags(fl *pflag.FlagSet) {
	fl.StringVar(&f.nick, "nick", "", "your name on that host (default: the one you had, or your user name)")
	fl.StringVar(&f.room, "room", "", "`ID` of the room")
	fl.StringVar(&f.identity, "identity", "", "`FILE` with the key to be known by (default: identity.key in the data)")
}

func joinCommand(s *settings) *cobra.Command {
	f := &joinFlags{}
	c := &cobra.Command{
		Use:   "join TARGET",
		Short: "chat on somebody's host",
		Long: `Chat on somebody's host. TARGET is what the host printed: a multiaddr that ends
in /p2p/ID, a peer ID, an invite (p2pchat:…), or a name given with --save; with -
it is read from standard input, so that no invite shows in the list of processes.

Where standard input or output is no terminal, every line read is said in --room
and every message is written as a line: time, room, nick and text with tabs
between them.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c.Context(), s, args[0]) },
	}
	fl := c.Flags()
	f.member.flags(fl)
	fl.BoolVar(&f.makeRoom, "create", false, "create --room instead of joining it")
	fl.IntVar(&f.create.Limit, "limit", 0, "with --create: how many members the room takes")
	fl.BoolVar(&f.create.Private, "private", false, "with --create: not listed, entered by invite")
	fl.BoolVar(&f.plain, "plain", false, "no redrawing: good for a screen reader or a log")
	fl.BoolVar(&f.commands, "commands", false, "from a pipe, a line that begins with / is a command")
	fl.StringVar(&f.save, "save", "", "remember the host under this `NAME`")
	fl.BoolVar(&f.member.requireDirect, "require-direct", false, "refuse to go on through a relay")
	fl.StringVar(&f.images, "images", "auto", "how pictures are shown: auto, kitty, iterm, sixel, blocks, none")
	_ = fl.MarkHidden("images") // there are no pictures yet
	return c
}

func (f *joinFlags) run(ctx context.Context, s *settings, arg string) error {
	if err := f.check(); err != nil {
		return err
	}
	if err := s.log(""); err != nil {
		return err
	}
	target, err := s.target(arg)
	if err != nil {
		return err
	}
	person := onTerminal() && !s.json && !f.plain
	if person {
		fmt.Fprintf(os.Stderr, "connecting to %s …\n", ui.Sanitize(arg))
	}
	client, done, err := s.connect(ctx, target, f.member)
	if err != nil {
		return s.explain(err)
	}
	defer done()
	if f.save != "" {
		if err := s.saveHost(f.save, target); err != nil {
			return err
		}
	}
	var terminal ui.Terminal
	if person {
		if terminal, err = openTerminal(s); err != nil {
			return err
		}
		defer terminal.Close()
	} else if f.plain {
		terminal = ui.NewPlain(os.Stdin, os.Stdout)
		defer terminal.Close()
	}
	o := s.chat(client, terminal)
	f.entry(&o, target)
	switch {
	case s.json:
		err = ui.JSON(ctx, o, os.Stdin, os.Stdout)
	case terminal != nil:
		err = ui.Chat(ctx, o)
	default:
		err = ui.Pipe(ctx, o, os.Stdin, os.Stdout, os.Stderr)
	}
	return ended(err)
}

func (f *joinFlags) check() error {
	switch {
	case f.makeRoom && f.member.room == "":
		return usagef("--create needs --room ID, the room to create")
	case !f.makeRoom && (f.create.Private || f.create.Limit != 0):
		return usagef("--limit and --private go with --create")
	}
	switch f.images {
	case "auto", "kitty", "iterm", "sixel", "blocks", "none":
		return nil
	}
	return usagef("--images %q: it is one of auto, kitty, iterm, sixel, blocks, none", f.images)
}

// entry says which room to enter at the start.
func (f *joinFlags) entry(o *ui.Options, t node.Target) {
	o.Commands = f.commands
	switch {
	case f.makeRoom:
		f.create.Room = f.member.room
		o.Create = &f.create
	case t.Invite != rooms.Capability{}:
		o.Invite = &t.Invite
	default:
		o.Room = f.member.room
	}
}

// connect connects to a host as a member. done leaves it.
func (s *settings) connect(ctx context.Context, t node.Target, m memberFlags) (c *node.Client, done func(), err error) {
	key, err := s.identity(m.identity, t.ID)
	if err != nil {
		return nil, nil, err
	}
	net, err := relay.NewHost(relay.Config{Key: key})
	if err != nil {
		return nil, nil, err
	}
	nick := m.nick
	if nick == "" {
		nick = userName()
	}
	c, err = node.Dial(ctx, node.ClientConfig{
		Net: net, Target: t, Nick: nick, NickFixed: m.nick != "", Version: version, RequireDirect: m.requireDirect,
	})
	if err != nil {
		_ = net.Close()
		return nil, nil, err
	}
	return c, func() { _ = c.Close(); _ = net.Close() }, nil
}

// explain prints why a host could not be joined, for people or for programs.
func (s *settings) explain(err error) error {
	var refusal *rooms.Refusal
	if !s.json || !errors.As(err, &refusal) {
		return err
	}
	newReporter(true, os.Stdout, os.Stderr).line(map[string]any{
		"type": "error", "code": refusal.Code, "message": refusal.Message, "hint": refusal.Hint,
	})
	return silentError{err}
}

// chat fills in what every kind of chat needs.
func (s *settings) chat(session ui.Session, terminal ui.Terminal) ui.Options {
	return ui.Options{
		Session: session, Terminal: terminal, Now: time.Now,
		Color:       ui.ColorDepth(os.Getenv, s.color, isTerminal(os.Stdout)),
		ParseInvite: parseInvite,
		Escape:      isTerminal(os.Stdout),
	}
}

func parseInvite(text string) (rooms.Capability, error) {
	link, err := node.ParseInvite(text)
	return link.Capability, err
}

// openTerminal takes the terminal over for a chat.
func openTerminal(s *settings) (ui.Terminal, error) {
	if err := s.makeData(); err != nil {
		return nil, err
	}
	return ui.NewReadline(ui.ReadlineOptions{HistoryFile: filepath.Join(s.data, typedFile)})
}

// ended maps the end of a chat: what the chat has shown is not told again.
func ended(err error) error {
	var refusal *rooms.Refusal
	if errors.As(err, &refusal) {
		return silentError{err}
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// target reads TARGET.
func (s *settings) target(arg string) (node.Target, error) {
	if arg == "-" {
		line, err := firstLine(os.Stdin)
		if err != nil {
			return node.Target{}, usagef("reading TARGET from standard input: %w", err)
		}
		arg = line
	}
	if saved, ok, err := s.savedHost(arg); err != nil || ok {
		return saved, err
	}
	t, err := node.ParseTarget(arg)
	if err != nil && !errors.Is(err, node.ErrInvite) {
		return t, usageError{err}
	}
	return t, err
}

// firstLine reads up to the first line end and not a byte further: what follows
// belongs to the chat.
func firstLine(f *os.File) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < 4096; {
		n, err := f.Read(b)
		if n == 1 && b[0] == '\n' || n == 0 && len(line) > 0 {
			return strings.TrimSpace(string(line)), nil
		}
		if err != nil {
			return "", err
		}
		line = append(line, b[:n]...)
	}
	return "", errors.New("the line is too long")
}
