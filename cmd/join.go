package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"p2pchat/node"
	"p2pchat/relay"
	"p2pchat/rooms"
	"p2pchat/ui"
	"p2pchat/ui/picture"
)

// joinFlags are the flags of p2pchat join.
type joinFlags struct {
	member   memberFlags
	screen   screenFlags
	create   rooms.Create
	makeRoom bool
	plain    bool
	commands bool
	unsent   bool
	save     string
}

// memberFlags are what every command that connects to a host takes.
type memberFlags struct {
	nick, room, identity string
	reach                reachFlags
	requireDirect        bool // of join only
}

func (f *memberFlags) flags(fl *pflag.FlagSet) {
	fl.StringVar(&f.nick, "nick", "", "your name there (default: the last one, or your user name)")
	fl.StringVar(&f.room, "room", "", "the room; an invite counts for this one only")
	fl.StringVar(&f.identity, "identity", "", "key to be known by (default: identity.key in the data)")
	f.reach.flags(fl)
	nameValues(fl, "nick", "NAME", "room", "ID", "identity", "FILE")
}

// wish is the nick to ask for.
func (f *memberFlags) wish() string {
	if f.nick != "" {
		return f.nick
	}
	return userName()
}

func joinCommand(s *settings) *cobra.Command {
	f := &joinFlags{}
	c := &cobra.Command{
		Use:   "join [TARGET]",
		Short: "chat on somebody's host",
		Long: `Chat on somebody's host. TARGET is what the host printed: a multiaddr that ends
in /p2p/ID, a peer ID, an invite (p2pchat:…), or a name given with --save; with -
it is read from standard input, so that no invite shows in the list of processes.
The whole line that the host printed will do there, too. An invite with --room lets
you into that room only; for another room it just says where the host is. Without TARGET it lists
the hosts of this network.

Where standard input or output is no terminal, every line read is said in --room
and every message is written as a line: time, room, nick and text with tabs
between them.`,
		Args:              takes("[TARGET]"),
		ValidArgsFunction: s.offerSaved,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return s.explain(s.listLAN(c.Context()))
			}
			return s.explain(f.run(c.Context(), s, args[0]))
		},
	}
	fl := c.Flags()
	f.member.flags(fl)
	f.screen.flags(fl)
	fl.BoolVar(&f.makeRoom, "create", false, "create --room instead of joining it")
	fl.IntVar(&f.create.Limit, "limit", 0, "with --create: how many members the room takes")
	fl.BoolVar(&f.create.Private, "private", false, "with --create: not listed, entered by invite")
	fl.BoolVar(&f.plain, "plain", false, "no redrawing: good for a screen reader or a log")
	fl.BoolVar(&f.commands, "commands", false, "from a pipe, a line that begins with / is a command")
	fl.BoolVar(&f.unsent, "keep-unsent", false, "with --json: send unconfirmed lines next time")
	fl.StringVar(&f.save, "save", "", "remember the host under this name")
	fl.BoolVar(&f.member.requireDirect, "require-direct", false, "refuse to go on through a relay")
	nameValues(fl, "limit", "N", "save", "NAME")
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
	person := onTerminal() && !s.json
	if err := f.fits(s, target, person); err != nil {
		return err
	}
	arrived := func() {}
	if person {
		arrived = connecting(os.Stderr, s.called(arg, target), f.edits() && isTerminal(os.Stderr))
	}
	client, done, err := s.connect(ctx, target, f.member)
	arrived()
	switch {
	case err != nil && ctx.Err() != nil:
		return rooms.Refuse(rooms.Unreachable, "", "stopped before the host answered")
	case err != nil:
		return err
	}
	defer done()
	if err := f.keep(s, target); err != nil {
		return err
	}
	defer f.refresh(s, arg, client)
	if person {
		tellNick(f.member.wish(), client.Welcome().Nick)
	}
	return f.chat(ctx, s, client, target, person)
}

// chat is the conversation, as it suits who is at the other end of input and output.
func (f *joinFlags) chat(ctx context.Context, s *settings, client *node.Client, target node.Target, person bool) (err error) {
	var terminal ui.Terminal
	if f.plain || person {
		if terminal, err = openTerminal(s, f.screen, person && f.edits(), false); err != nil {
			return err
		}
		defer terminal.Close()
	}
	spare()
	o := s.chat(client, terminal)
	f.screen.apply(&o)
	if o.Depot, err = s.depot(client, f.screen.files); err != nil {
		return err
	}
	f.entry(&o, target)
	if terminal != nil || s.json && f.unsent {
		book, err := s.notebook(client.Welcome())
		if err != nil {
			return err
		}
		if book != nil {
			defer book.Close()
			o.Notebook = book
		}
	}
	if terminal != nil || s.json {
		defer s.people(&o, client.Welcome())()
	}
	switch {
	case s.json:
		err = ui.JSON(ctx, o, os.Stdin, stdout)
	case terminal != nil:
		err = ui.Chat(ctx, o)
	default:
		if !f.commands {
			o.Session = newShellSession(ctx, o.Session)
		}
		err = ui.Pipe(ctx, o, os.Stdin, stdout, os.Stderr)
	}
	return s.ended(err)
}

// called is what a person calls a host: the name that it is saved under, or else the end
// of its peer ID. Neither shows what an invite holds.
func (s *settings) called(arg string, t node.Target) string {
	if _, saved, err := s.savedHost(arg); err == nil && saved {
		return arg
	}
	id := t.ID.String()
	return "host …" + id[max(0, len(id)-8):]
}

func (f *joinFlags) check() error {
	switch {
	case f.makeRoom && f.member.room == "":
		return usagef("--create needs --room ID, the room to create")
	case !f.makeRoom && (f.create.Private || f.create.Limit != 0):
		return usagef("--limit and --private go with --create")
	}
	return nil
}

// edits tells whether the rows of a terminal are drawn anew.
func (f *joinFlags) edits() bool { return canEdit() && !f.plain }

// fits checks what depends on the target, before anybody is asked anything.
func (f *joinFlags) fits(s *settings, t node.Target, person bool) error {
	pipe := !person && !s.json && !f.plain && !f.commands
	if pipe && f.member.room == "" && t.Invite == (rooms.Capability{}) {
		return usagef("--room: say which room; what comes through a pipe is said there")
	}
	if f.save == "" {
		return nil
	}
	all, err := s.savedHosts()
	if err != nil {
		return err
	}
	return s.mayBeSaved(f.save, t.ID, all)
}

// keep saves the host where --save asks for it.
func (f *joinFlags) keep(s *settings, t node.Target) error {
	if f.save == "" {
		return nil
	}
	if err := s.saveHost(f.save, t); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "saved as %s; next time: p2pchat join %[1]s\n", f.save)
	return nil
}

// refresh keeps where the host is now for the next time: its address may have
// changed since it was saved.
func (f *joinFlags) refresh(s *settings, arg string, client *node.Client) {
	name := f.save
	if saved, ok, err := s.savedHost(arg); err == nil && ok && saved.ID.String() == string(client.Welcome().Host) {
		name = arg
	}
	id, err := peer.Decode(string(client.Welcome().Host))
	if now := client.Whereabouts(); name != "" && err == nil && len(now) > 0 {
		_ = s.saveHost(name, node.Target{AddrInfo: peer.AddrInfo{ID: id, Addrs: now[:min(len(now), savedAddrs)]}})
	}
}

// savedAddrs is how many addresses of a host are kept.
const savedAddrs = 16

// tellNick tells a person who wished for one nick that it has another.
func tellNick(wish, nick string) {
	if wish != "" && nick != wish {
		fmt.Fprintf(os.Stderr, "you are known here as %s; /nick chooses another\n", ui.SanitizeNick(nick))
	}
}

// entry says which room to enter at the start.
func (f *joinFlags) entry(o *ui.Options, t node.Target) {
	o.Commands = f.commands
	if f.makeRoom {
		f.create.Room = f.member.room
		o.Create = &f.create
		return
	}
	o.Room, o.Invite = f.member.room, t.Invite
}

// connect connects to a host as a member. done leaves it.
func (s *settings) connect(ctx context.Context, t node.Target, m memberFlags) (c *node.Client, done func(), err error) {
	key, err := s.identity(m.identity, t.ID)
	if err != nil {
		return nil, nil, err
	}
	relays, bootstrap, err := m.reach.parse()
	if err != nil {
		return nil, nil, err
	}
	net, err := relay.New(relay.Config{
		Key: key, Listen: memberListen(relay.Network(s.network)), Network: relay.Network(s.network), Relays: relays, Bootstrap: bootstrap,
	})
	if err != nil {
		return nil, nil, err
	}
	c, err = node.Dial(ctx, node.ClientConfig{
		Net: net, Target: t, Nick: m.wish(), NickFixed: m.nick != "", Version: version, RequireDirect: m.requireDirect,
	})
	if err != nil {
		_ = net.Close()
		return nil, nil, err
	}
	return c, func() { _ = c.Close(); _ = net.Close() }, nil
}

// memberListen is where a member listens: who does not can't be dialled by a host
// that it has met through a relay.
func memberListen(n relay.Network) []ma.Multiaddr {
	if n == relay.None {
		return nil
	}
	addrs, _ := parseAddr(":0", true)
	return addrs
}

// chat fills in what every kind of chat needs.
func (s *settings) chat(session ui.Session, terminal ui.Terminal) ui.Options {
	return ui.Options{
		Session: session, Terminal: terminal, Now: time.Now,
		Color:       ui.ColorDepth(os.Getenv, s.color, isTerminal(os.Stdout)),
		ParseInvite: parseInvite,
		Words:       node.Words,
		Escape:      isTerminal(os.Stdout),
	}
}

func parseInvite(text string) (rooms.Capability, error) {
	link, err := node.ParseInvite(text)
	if err != nil {
		return rooms.Capability{}, brokenInvite(err)
	}
	return link.Capability, nil
}

// canEdit tells whether lines can be edited on the terminal.
func canEdit() bool { return os.Getenv("TERM") != "dumb" }

// openTerminal takes the terminal over for a chat. One where lines can't be
// edited gets plain lines. One that a host lives in is not suspended.
func openTerminal(s *settings, f screenFlags, edit, host bool) (ui.Terminal, error) {
	if edit {
		if err := s.makeData(); err != nil {
			return nil, err
		}
		terminal, err := ui.NewReadline(ui.ReadlineOptions{
			HistoryFile: s.path(typedFile), NoSuspend: host, Images: picture.Mode(f.images),
			Plain: ui.ColorDepth(os.Getenv, s.color, isTerminal(os.Stdout)) == 0,
		})
		if err == nil {
			return terminal, nil
		}
	}
	return ui.NewPlain(os.Stdin, os.Stdout), nil
}

// ended maps the end of a chat: what the chat has shown is not told again. A program has
// been shown everything.
func (s *settings) ended(err error) error {
	var refusal *rooms.Refusal
	switch {
	case errors.As(err, &refusal):
		return silentError{err}
	case err == nil || errors.Is(err, context.Canceled):
		return nil
	case s.json:
		return silentError{err}
	}
	return err
}
