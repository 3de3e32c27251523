package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"p2pchat/history"
	"p2pchat/node"
	"p2pchat/relay"
	"p2pchat/rooms"
	"p2pchat/ui"
)

// hostFlags are the flags of p2pchat host.
type hostFlags struct {
	name             string
	listen, announce []string
	reach            reachFlags
	screen           screenFlags
	maxMembers       int
	lobby            string
	rate             float64
	files            fileFlags
	headless         bool
}

// defaultListen is the port that is tried when none is asked for. It stays the
// same from start to start, so that a forwarded port stays right.
const defaultListen = ":4001"

func hostCommand(s *settings) *cobra.Command {
	f := &hostFlags{}
	defaults := rooms.DefaultLimits()
	c := &cobra.Command{
		Use:   "host",
		Short: "run the chat server, and chat on it when on a terminal",
		Long: `Run the chat server. On a terminal you are in the chat at once; the last line
printed before that is the command to paste on another machine.

Without --listen it listens on port 4001, or on a free one if that is taken. To
be reached through a forwarded port (router port 5001 to port 4001 here):
  p2pchat host --listen :4001 --announce 203.0.113.9:5001

To be reached from everywhere through a relay of your own (see p2pchat relay):
  p2pchat host --relay /ip4/203.0.113.9/tcp/4001/p2p/12D3KooW…`,
		Args: takes(),
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	fl := c.Flags()
	fl.StringVar(&f.name, "name", "", "the host's name (default: the machine's)")
	fl.StringSliceVar(&f.listen, "listen", nil, "where to listen, also :PORT, HOST:PORT (repeatable)")
	fl.StringSliceVar(&f.announce, "announce", nil, "a forwarded port, also HOST:PORT (repeatable)")
	f.reach.flags(fl)
	f.screen.flags(fl)
	fl.IntVar(&f.maxMembers, "max-members", defaults.HostMembers, "members connected at a time")
	fl.StringVar(&f.lobby, "lobby", "lobby", "the public room that is always there")
	fl.Float64Var(&f.rate, "rate", defaults.Rate, "messages a second of a member after ten; 0: no limit")
	f.files.flags(fl)
	fl.BoolVar(&f.headless, "headless", false, "no chat in this terminal")
	nameValues(fl, "name", "NAME", "listen", "MULTIADDR", "announce", "MULTIADDR", "max-members", "N", "lobby", "NAME", "rate", "N")
	return c
}

func (f *hostFlags) run(ctx context.Context, s *settings) error {
	listen, err := parseListen(ctx, f.listen)
	if err != nil {
		return err
	}
	announce, err := parseAnnounce(f.announce, listen)
	if err != nil {
		return err
	}
	limits, err := f.limits()
	if err != nil {
		return err
	}
	relays, bootstrap, err := f.reach.parse()
	if err != nil {
		return err
	}
	store, err := history.Open(s.data)
	if err != nil {
		return s.dataError(err)
	}
	defer store.Close()
	if err := s.log(filepath.Join(s.data, "p2pchat.log")); err != nil {
		return err
	}
	report := newReporter(s.json, stdout, os.Stderr)
	if s.keyless(store) {
		report.warn(lostKey(s.path(identityFile)))
	}
	key, err := node.LoadKey(s.path(identityFile))
	if err != nil {
		return s.dataError(err)
	}
	host, err := f.start(node.HostConfig{
		Key: key, Name: f.hostName(), Version: version, Listen: listen, Announce: announce,
		Network: relay.Network(s.network), Relays: relays, Bootstrap: bootstrap,
		UploadLimit: f.files.upload, Lobby: f.lobby, Limits: limits, Store: storage{store}, Notify: report.event, Moved: report.moved,
	})
	if err != nil {
		return f.listenHelp(err)
	}
	defer host.Close()
	socket, err := listenOwner(s.data)
	if err != nil {
		return err
	}
	defer socket.Close()
	go host.ServeOwner(socket)
	chat := !f.headless && !s.json && onTerminal()
	switch {
	case len(relays) > 0:
		f.awaitRelay(ctx, host, report)
	case relay.Network(s.network) == relay.Public && !s.json:
		f.awaitOutside(ctx, host, report)
	}
	report.listening(host, chat)
	reporting, stop := context.WithCancel(context.Background())
	defer stop()
	go report.run(reporting, host)
	if !chat {
		<-ctx.Done()
		return nil
	}
	err = f.console(ctx, s, host, report)
	_ = host.Close()
	report.say("the host has stopped")
	return err
}

// keyless tells whether the key is missing of a host that has been here before.
func (s *settings) keyless(store *history.Store) bool {
	if _, err := os.Stat(s.path(identityFile)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	stored, err := store.RoomKeys()
	return err == nil && len(stored) > 0
}

func lostKey(path string) string {
	return path + " is missing, though there are rooms: this host starts with a new key, so every address, saved name and " +
		"invite that was handed out before leads nowhere. Stopping the host and putting the file back, from a backup, mends that"
}

// relayTime is how long the first words of a host wait for a relay.
const relayTime = 5 * time.Second

// awaitRelay waits for a way through a relay that was named, since that is what is
// to be pasted elsewhere.
func (f *hostFlags) awaitRelay(ctx context.Context, host *node.Host, report *reporter) {
	ctx, cancel := context.WithTimeout(ctx, relayTime)
	defer cancel()
	host.AwaitRelay(ctx)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		report.event(rooms.Notice{Text: "no relay answers yet; the host goes on trying"})
	}
}

// awaitOutside waits for a way in from outside, so that the command that is printed
// works there. People only wait where there is none yet.
func (f *hostFlags) awaitOutside(ctx context.Context, host *node.Host, report *reporter) {
	ctx, cancel := context.WithTimeout(ctx, relayTime)
	defer cancel()
	if !host.FromOutside() {
		report.say("looking for a way in from outside …")
		host.AwaitOutside(ctx)
	}
}

// limits are the defaults with what the flags change.
func (f *hostFlags) limits() (rooms.Limits, error) {
	limits := rooms.DefaultLimits()
	if f.maxMembers < 1 {
		return limits, usagef("--max-members %d: a host has at least one", f.maxMembers)
	}
	if f.rate < 0 {
		return limits, usagef("--rate %g: it can't be less than 0", f.rate)
	}
	if _, refusal := limits.ParseNewRoomID(f.lobby); refusal != nil {
		return limits, usagef("--lobby: %w", refusal)
	}
	limits.HostMembers, limits.Rate = f.maxMembers, f.rate
	return limits, f.files.apply(&limits)
}

func (f *hostFlags) hostName() string {
	if f.name != "" {
		return f.name
	}
	name, err := os.Hostname()
	if err != nil {
		return "p2pchat"
	}
	return name
}

// start starts the host. When nobody chose the port and it is taken, a free one
// will do.
func (f *hostFlags) start(c node.HostConfig) (*node.Host, error) {
	if len(c.Listen) > 0 {
		return node.NewHost(c)
	}
	for _, port := range []string{defaultListen, ":0"} {
		c.Listen, _ = parseAddr(port, true)
		host, err := node.NewHost(c)
		if err == nil || !errors.Is(err, relay.ErrListen) {
			return host, err
		}
	}
	return nil, relay.ErrListen
}

// listenHelp adds to an address that can't be listened on what to do about it.
func (f *hostFlags) listenHelp(err error) error {
	switch {
	case !errors.Is(err, relay.ErrListen):
		return err
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w; is the port taken? choose another with --listen :PORT", err)
	case strings.Contains(err.Error(), syscall.EADDRNOTAVAIL.Error()): // libp2p keeps the text only
		return fmt.Errorf("can't listen on %s: this machine has no such address; --listen :PORT takes all that it has",
			strings.Join(f.listen, ", "))
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w; choose a port above 1023 with --listen :PORT", err)
	}
	return fmt.Errorf("%w; choose another address with --listen", err)
}

// console lets the owner chat in the terminal that the host was started in.
func (f *hostFlags) console(ctx context.Context, s *settings, host *node.Host, report *reporter) error {
	client, err := host.Console(node.ClientConfig{Nick: ownerName(), Version: version})
	if err != nil {
		return err
	}
	defer client.Close()
	terminal, err := openTerminal(s, f.screen, canEdit(), true)
	if err != nil {
		return err
	}
	defer terminal.Close()
	report.console(terminal)
	o := s.chat(client, terminal)
	f.screen.apply(&o)
	if o.Depot, err = s.depot(client, f.screen.files); err != nil {
		return err
	}
	o.Room, o.Owner = f.lobby, true
	defer s.people(&o, client.Welcome())()
	return s.ended(ui.Chat(ctx, o))
}

// listenOwner opens the socket for status, invite and the like. One that a
// killed host left behind is replaced: the data directory is locked by now.
func listenOwner(data string) (net.Listener, error) {
	path, err := ownerSocket(data)
	if err != nil {
		return nil, err
	}
	_ = os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the owner's socket: %w", err)
	}
	return l, os.Chmod(path, 0o600)
}
