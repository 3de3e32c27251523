package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	golog "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/node/wire"
	"p2pchat/relay"
	"p2pchat/rooms"
)

var log = golog.Logger("p2pchat")

// HostConfig says what a host is to be.
type HostConfig struct {
	Key      crypto.PrivKey
	Name     string // shown to members
	Version  string // the program's version, shown to members
	Listen   []ma.Multiaddr
	Announce []ma.Multiaddr // addresses under which the world sees a forwarded port

	Network   relay.Network   // how much of the outside is made use of; empty: none
	Relays    []peer.AddrInfo // through which the host can be reached
	Bootstrap []peer.AddrInfo // where the search for it begins, besides the relays

	UploadLimit int64 // bytes a second of files that the host sends; 0: no limit

	Lobby  string // the public room that is always there
	Limits rooms.Limits
	Store  Store

	// Notify, when not nil, is told what the operator may want to see:
	// MemberChanged of every room, and Notices. It must not block.
	Notify func(rooms.Event)

	// Moved, when not nil, is called when the host's addresses have changed. It must
	// not block.
	Moved func()
}

// Host is a running chat server.
type Host struct {
	config    HostConfig
	limits    rooms.Limits
	peer      rooms.PeerID
	net       *relay.Net
	registrar *registrar
	started   time.Time

	sessionIDs atomic.Uint64
	searches   chan struct{}   // a token for each search that runs: half of the processors are for all else
	files      transfers       // files under way
	strangers  strangers       // connections that have not said hello
	stopping   chan struct{}   // closed when the host begins to stop
	work       sync.WaitGroup  // the registrar and the rooms
	sessions   sync.WaitGroup  // the sessions
	ctx        context.Context // ends when the host begins to stop
	cancel     context.CancelFunc

	mu     sync.Mutex // guards closed, and that no session begins after it is set
	closed bool
}

// NewHost opens the rooms in the store and begins to take connections.
func NewHost(c HostConfig) (*Host, error) {
	id, err := peer.IDFromPrivateKey(c.Key)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	h := &Host{
		config: c, limits: c.Limits, peer: rooms.PeerID(id.String()), started: time.Now(),
		stopping: make(chan struct{}), searches: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	h.files.pace.rate = c.UploadLimit
	h.files.courtesy.rate, h.files.courtesy.least = courtesyRate*int64(runtime.GOMAXPROCS(0)), courtesyLeast
	h.ctx, h.cancel = context.WithCancel(context.Background())
	if h.registrar, err = newRegistrar(h, c.Store); err != nil {
		return nil, err
	}
	err = h.registrar.start(c.Lobby)
	h.work.Go(h.registrar.run)
	if err == nil { // behind the rooms: who connects finds them open
		h.net, err = relay.New(relay.Config{
			Key: c.Key, Listen: c.Listen, Announce: c.Announce, Members: c.Limits.HostMembers,
			Network: c.Network, Relays: c.Relays, Bootstrap: c.Bootstrap,
		})
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.net.Host.SetStreamHandler(protocol.ID(wire.FileProtocol), h.fileStream)
	h.net.Host.SetStreamHandler(protocol.ID(wire.Protocol), h.stream)
	h.work.Go(h.tendFiles)
	h.net.Host.Network().Notify(&network.NotifyBundle{ConnectedF: func(_ network.Network, c network.Conn) { h.expectSession(c) }})
	h.net.Offer(relay.OfferConfig{Name: c.Name, Changed: h.moved, Members: protocol.ID(wire.Protocol)})
	return h, nil
}

// stream serves a member's stream.
func (h *Host) stream(s network.Stream) {
	path, transport := h.net.Path(s.Conn(), nil)
	h.receive(s, func(peer rooms.PeerID, greeted func()) { h.serve(s, peer, path+" over "+transport, greeted) })
}

// fileStream serves a stream for a file.
func (h *Host) fileStream(s network.Stream) {
	h.receive(s, func(peer rooms.PeerID, greeted func()) { h.serveFile(s, peer, greeted) })
}

// receive serves a stream of somebody who counts as a stranger until it is greeted.
func (h *Host) receive(s network.Stream, serve func(peer rooms.PeerID, greeted func())) {
	if !h.begin() {
		_ = s.Reset()
		return
	}
	defer h.sessions.Done()
	group, from := relay.Group(s.Conn().RemoteMultiaddr()), s.Conn().RemotePeer()
	if !h.strangers.enter(group, from) {
		_ = s.Reset()
		return
	}
	serve(rooms.PeerID(from.String()), func() { h.strangers.leave(group, from) })
	h.expectSession(s.Conn())
}

// tendFiles removes from time to time what nobody goes on with.
func (h *Host) tendFiles() {
	care := time.NewTicker(tendTime)
	defer care.Stop()
	for {
		select {
		case <-care.C:
			if err := h.config.Store.TendFiles(time.Now()); err != nil {
				log.Errorf("files: %v", err)
			}
		case <-h.stopping:
			return
		}
	}
}

// begin counts a session in, unless the host is stopping.
func (h *Host) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.sessions.Add(1)
	}
	return !h.closed
}

// Console opens a session of the host's owner through a pipe in memory.
func (h *Host) Console(c ClientConfig) (*Client, error) {
	c.files = func() (conn, error) {
		mine, theirs := net.Pipe()
		go h.serveOwnFile(pipe{theirs})
		return pipe{mine}, nil
	}
	c.dial = func(context.Context) (conn, rooms.Path, error) {
		mine, theirs := net.Pipe()
		go h.serveOwner(pipe{theirs}, "console")
		return pipe{mine}, rooms.Path{Path: relay.Local, Transport: "memory"}, nil
	}
	return start(context.Background(), c)
}

// ServeOwner serves the owner's connections of a listener that only the owner
// can reach, until the listener is closed.
func (h *Host) ServeOwner(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) || h.closing() {
			return
		}
		if err != nil { // out of file handles, say: that passes
			t := time.NewTimer(100 * time.Millisecond)
			select {
			case <-t.C:
			case <-h.stopping:
			}
			continue
		}
		go h.serveOwner(socket(c), "local socket")
	}
}

// serveOwner serves a session of the owner, who needs no place among strangers.
func (h *Host) serveOwner(c conn, path string) {
	if !h.begin() {
		_ = c.Close()
		return
	}
	defer h.sessions.Done()
	h.serve(c, h.peer, path, func() {})
}

// serveOwnFile serves a stream for a file of the owner.
func (h *Host) serveOwnFile(c conn) {
	if !h.begin() {
		_ = c.Close()
		return
	}
	defer h.sessions.Done()
	h.serveFile(c, h.peer, func() {})
}

// pipe is one end of a net.Pipe.
type pipe struct{ net.Conn }

// CloseWrite closes the pipe: what was written has been read, for a pipe has no
// buffer.
func (p pipe) CloseWrite() error { return p.Close() }

// socket makes a conn of a unix socket's connection.
func socket(c net.Conn) conn {
	if u, ok := c.(*net.UnixConn); ok {
		return u
	}
	return pipe{c}
}

// Peer is the host's peer ID.
func (h *Host) Peer() rooms.PeerID { return h.peer }

// closing tells whether the host has begun to stop.
func (h *Host) closing() bool { return h.ctx.Err() != nil }

// Close says goodbye to every member, puts everything on disk and returns when no
// goroutine of the host is left.
func (h *Host) Close() error {
	h.mu.Lock()
	already := h.closed
	h.closed = true
	h.mu.Unlock()
	if already {
		return nil
	}
	close(h.stopping)
	h.cancel()
	h.sessions.Wait()
	var err error
	if h.net != nil {
		err = h.net.Close()
	}
	close(h.registrar.asks)
	h.work.Wait()
	return err
}

func (h *Host) notice(text string) {
	log.Info(text)
	h.observe(rooms.Notice{Text: text})
}

func (h *Host) observe(e rooms.Event) {
	if h.config.Notify != nil {
		h.config.Notify(e)
	}
}

// complete adds to an answer what only the host knows.
func (h *Host) complete(e rooms.Event) rooms.Event {
	switch e := e.(type) {
	case rooms.Welcome:
		e.Name, e.Version = h.config.Name, h.config.Version
		return e
	case rooms.Invited:
		e.Link = h.Invite(e)
		return e
	case rooms.HostStatus:
		e.Version, e.Name, e.Started = h.config.Version, h.config.Name, h.started
		e.Target = h.Target()
		for _, a := range h.Addrs() {
			e.Addrs = append(e.Addrs, a.String())
		}
		e.Disk, _ = h.config.Store.Size()
		return e
	}
	return e
}

func randomNumber() uint64 {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic("node: no randomness: " + err.Error())
	}
	return binary.LittleEndian.Uint64(b[:])
}
