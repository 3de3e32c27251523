package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	ma "github.com/multiformats/go-multiaddr"
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
	maxMembers       int
	lobby            string
	rate             float64
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

To be reached through a forwarded port (router port 5001 to port 4001 here):
  p2pchat host --listen :4001 --announce 203.0.113.9:5001`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c.Context(), s) },
	}
	fl := c.Flags()
	fl.StringVar(&f.name, "name", "", "the host's name, shown to members (default: the machine's)")
	fl.StringSliceVar(&f.listen, "listen", nil, "`MULTIADDR`, :PORT or HOST:PORT to listen on (repeatable; default :4001, or a free port if that is taken)")
	fl.StringSliceVar(&f.announce, "announce", nil, "`MULTIADDR` or HOST:PORT under which the world sees a forwarded port (repeatable)")
	fl.IntVar(&f.maxMembers, "max-members", defaults.HostMembers, "members connected at a time")
	fl.StringVar(&f.lobby, "lobby", "lobby", "the public room that is always there")
	fl.Float64Var(&f.rate, "rate", defaults.Rate, "a member's messages a second after a burst of ten, 0: no limit")
	fl.BoolVar(&f.headless, "headless", false, "no chat in this terminal")
	return c
}

func (f *hostFlags) run(ctx context.Context, s *settings) error {
	listen, err := parseAddrs("listen", f.listen, true)
	if err != nil {
		return err
	}
	announce, err := parseAddrs("announce", f.announce, false)
	if err != nil {
		return err
	}
	limits, err := f.limits()
	if err != nil {
		return err
	}
	store, err := history.Open(s.data)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := s.log(filepath.Join(s.data, "p2pchat.log")); err != nil {
		return err
	}
	key, err := node.LoadKey(filepath.Join(s.data, identityFile))
	if err != nil {
		return err
	}
	report := newReporter(s.json, os.Stdout, os.Stderr)
	host, err := f.start(node.HostConfig{
		Key: key, Name: f.hostName(), Version: version, Listen: listen, Announce: announce,
		Lobby: f.lobby, Limits: limits, Store: storage{store}, Notify: report.event,
	})
	if err != nil {
		return listenHelp(err)
	}
	defer host.Close()
	socket, err := listenOwner(s.data)
	if err != nil {
		return err
	}
	defer socket.Close()
	go host.ServeOwner(socket)
	chat := !f.headless && !s.json && onTerminal()
	report.listening(host, chat)
	if !chat {
		<-ctx.Done()
		return nil
	}
	return f.console(ctx, s, host, report)
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
	return limits, nil
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

func listenHelp(err error) error {
	if errors.Is(err, relay.ErrListen) {
		return fmt.Errorf("%w; is the port taken? choose another with --listen :PORT", err)
	}
	return err
}

// console lets the owner chat in the terminal that the host was started in.
func (f *hostFlags) console(ctx context.Context, s *settings, host *node.Host, report *reporter) error {
	client, err := host.Console(node.ClientConfig{Nick: ownerName(), Version: version})
	if err != nil {
		return err
	}
	defer client.Close()
	terminal, err := openTerminal(s)
	if err != nil {
		return err
	}
	defer terminal.Close()
	report.console(terminal)
	o := s.chat(client, terminal)
	o.Room, o.Owner = f.lobby, true
	return ended(ui.Chat(ctx, o))
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

// reporter tells the operator of a host what happens: people's text on standard
// error, or JSON lines on standard output.
type reporter struct {
	json        bool
	out, people io.Writer

	mu       sync.Mutex // guards the fields below
	terminal ui.Terminal
}

func newReporter(json bool, out, people io.Writer) *reporter {
	return &reporter{json: json, out: out, people: people}
}

// console makes the terminal the place for notices.
func (r *reporter) console(t ui.Terminal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.terminal = t
}

// listening tells that the host can be reached, and how.
func (r *reporter) listening(h *node.Host, chat bool) {
	target, addrs := h.Target(), texts(h.Addrs())
	if r.json {
		join := "p2pchat join " + target
		reach, why := h.Reach()
		r.line(map[string]any{"type": "listening", "peer": h.Peer(), "addrs": addrs, "join": join})
		r.line(map[string]any{"type": "reachability", "reach": reach, "addrs": addrs, "join": join, "why": why})
		return
	}
	_, why := h.Reach()
	fmt.Fprintf(r.people, "this host is %s, listening on\n  %s\n", h.Peer(), strings.Join(addrs, "\n  "))
	fmt.Fprintln(r.people, "it can be reached", why)
	fmt.Fprintln(r.people, "everything said on it is stored here and can be read by whoever owns this machine")
	if chat {
		fmt.Fprintln(r.people, "leaving the chat here (Ctrl-D) stops the host; --headless runs one without a chat")
	}
	fmt.Fprintln(r.people, "to chat from another machine, paste this there:")
	fmt.Fprintf(r.out, "p2pchat join %s\n", target)
}

// event is told what happens on the host.
func (r *reporter) event(e rooms.Event) {
	switch e := e.(type) {
	case rooms.MemberChanged:
		if r.json {
			r.line(map[string]any{
				"type": "member", "event": e.What.String(), "room": e.Room, "nick": e.Member.Nick,
				"peer": e.Member.Peer, "reason": e.Reason,
			})
		}
	case rooms.Notice:
		r.notice(e.Text)
	}
}

func (r *reporter) notice(text string) {
	r.mu.Lock()
	terminal := r.terminal
	r.mu.Unlock()
	switch {
	case r.json:
		r.line(map[string]any{"type": "notice", "text": text})
	case terminal != nil:
		terminal.Print("-- " + ui.Sanitize(text))
	default:
		fmt.Fprintln(r.people, ui.Sanitize(text))
	}
}

// line writes one JSON object.
func (r *reporter) line(fields map[string]any) {
	fields["v"] = 1
	b, err := json.Marshal(fields)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.out.Write(append(b, '\n'))
}

func texts(addrs []ma.Multiaddr) []string {
	s := make([]string, 0, len(addrs))
	for _, a := range addrs {
		s = append(s, a.String())
	}
	return s
}
