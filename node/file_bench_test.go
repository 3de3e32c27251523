package node

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"

	"p2pchat/history"
	"p2pchat/relay"
	"p2pchat/rooms"
)

// The benchmarks of files run the host in a process of its own, so that its processor
// time can be told from that of the members.
const (
	benchHost = "P2PCHAT_BENCH_HOST" // what the child is: bare or ours
	benchDir  = "P2PCHAT_BENCH_DIR"
	bareID    = "/bare/1"
)

// runBenchHost is the child: it says where it is, and ends with its standard input.
func runBenchHost(kind string) {
	key := newKey(panics{})
	listen := []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/0")}
	if kind == "bare" {
		h := bareHost(libp2p.Identity(key), libp2p.ListenAddrs(listen...))
		h.SetStreamHandler(bareID, serveBare)
		tellBench(h.ID(), h.Addrs()[0])
		return
	}
	store, err := history.Open(os.Getenv(benchDir))
	fatal(err)
	limits := rooms.DefaultLimits()
	limits.Rate, limits.FileBytes, limits.DiskBytes, limits.RoomBytes, limits.MemberBytes = 0, 0, 0, 0, 0
	h, err := NewHost(HostConfig{Key: key, Name: "bench", Listen: listen, Lobby: "lobby", Limits: limits, Store: logs{store, &world{}}})
	fatal(err)
	id, err := peer.IDFromPrivateKey(key)
	fatal(err)
	tellBench(id, h.Addrs()[0])
	fatal(h.Close())
	fatal(store.Close())
}

func tellBench(id peer.ID, addr ma.Multiaddr) {
	fmt.Printf("%s/p2p/%s\n", addr, id)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// panics is a testing.TB for a process that is no test.
type panics struct{ testing.TB }

func (panics) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func fatal(err error) {
	if err != nil {
		panic(err)
	}
}

// bareHost is libp2p as it comes, over TCP and TLS.
func bareHost(o ...libp2p.Option) host.Host {
	h, err := libp2p.New(append(o, libp2p.Transport(tcp.NewTCPTransport), libp2p.Security(tls.ID, tls.New), libp2p.DisableRelay())...)
	fatal(err)
	return h
}

// serveBare does the least that a host can do: it stores what comes, and sends it back.
func serveBare(s network.Stream) {
	defer s.Close()
	var head [9]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return
	}
	path, size := filepath.Join(os.Getenv(benchDir), "bare"), int64(binary.LittleEndian.Uint64(head[1:]))
	buf := make([]byte, filePiece)
	if head[0] == 'g' {
		f, err := os.Open(path)
		fatal(err)
		defer f.Close()
		_, err = io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{f}, buf)
		fatal(err)
		return
	}
	f, err := os.Create(path)
	fatal(err)
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{f}, io.LimitReader(s, size), buf)
	fatal(err)
	fatal(f.Sync())
	_, err = s.Write([]byte{1})
	fatal(err)
}

// child starts a host of a kind and returns where it is, and what ends it and tells its
// processor time.
func child(b testing.TB, kind string) (peer.AddrInfo, func() time.Duration) {
	dir, err := os.MkdirTemp(b.TempDir(), "host")
	fatal(err)
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), benchHost+"="+kind, benchDir+"="+dir)
	in, err := c.StdinPipe()
	fatal(err)
	out, err := c.StdoutPipe()
	fatal(err)
	c.Stderr = os.Stderr
	fatal(c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	fatal(err)
	info, err := peer.AddrInfoFromString(strings.TrimSpace(line))
	fatal(err)
	return *info, sync.OnceValue(func() time.Duration {
		fatal(in.Close())
		_ = c.Wait()
		_ = os.RemoveAll(dir) // memory that is new to the machine costs more than any of this
		return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	})
}

func benchSize() int64 {
	if testing.Short() {
		return 64 << 20
	}
	return 256 << 20
}

// bare takes the same bytes the same way without anything of ours.
func bare(b testing.TB, size int64) (took, cpu time.Duration) {
	info, end := child(b, "bare")
	defer end()
	dial := func() host.Host {
		h := bareHost(libp2p.Identity(newKey(b)), libp2p.NoListenAddrs)
		fatal(h.Connect(context.Background(), info))
		return h
	}
	anna, bob := dial(), dial()
	defer anna.Close()
	defer bob.Close()
	open := func(h host.Host, what byte) network.Stream {
		s, err := h.NewStream(context.Background(), info.ID, bareID)
		fatal(err)
		_, err = s.Write(binary.LittleEndian.AppendUint64([]byte{what}, uint64(size)))
		fatal(err)
		return s
	}
	began := time.Now()
	buf := make([]byte, filePiece)
	up := open(anna, 'p')
	_, err := io.CopyBuffer(struct{ io.Writer }{up}, io.NewSectionReader(zeros{}, 0, size), buf)
	fatal(err)
	_, err = io.ReadFull(up, buf[:1])
	fatal(err)
	down := open(bob, 'g')
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, down, buf)
	if fatal(err); n != size {
		b.Fatalf("%d bytes came", n)
	}
	took = time.Since(began)
	return took, end()
}

// ours uploads and downloads a file.
func ours(b testing.TB, size int64) (took, cpu time.Duration) {
	info, end := child(b, "ours")
	defer end()
	anna, bob := benchJoin(b, info), benchJoin(b, info)
	h, err := HashOf(context.Background(), zeros{}, size)
	fatal(err)
	began := time.Now()
	f, err := anna.Upload(context.Background(), Outgoing{Room: "lobby", File: rooms.File{Name: "x", Size: size, Hash: h}, Content: zeros{}}, nil)
	fatal(err)
	anna.must(rooms.Say{Kind: rooms.FileUp, File: f.ID})
	fatal(bob.Download(context.Background(), "lobby", f, zeros{}, 0, nil))
	took = time.Since(began)
	anna.leave()
	bob.leave()
	return took, end()
}

// benchJoin joins the lobby of a host in another process.
func benchJoin(b testing.TB, info peer.AddrInfo) *friend {
	key := newKey(b)
	net, err := relay.New(relay.Config{Key: key})
	fatal(err)
	c, err := Dial(context.Background(), ClientConfig{Key: key, Net: net, Target: Target{AddrInfo: info}})
	fatal(err)
	f := &friend{TB: b, Client: c, nick: "bench", net: net}
	f.must(rooms.Join{Room: "lobby"})
	return f
}

// BenchmarkFile compares both in turns: MB/s from the first byte sent to the last one
// received, over two hops one after the other, the host's CPU seconds a GB, and the
// medians of how they compare.
func BenchmarkFile(b *testing.B) {
	size := benchSize()
	var took, cpu [2]time.Duration
	var speeds, costs []float64
	for b.Loop() {
		t, c := ours(b, size)
		u, d := bare(b, size)
		took[0], took[1], cpu[0], cpu[1] = took[0]+t, took[1]+u, cpu[0]+c, cpu[1]+d
		speeds, costs = append(speeds, u.Seconds()/t.Seconds()), append(costs, c.Seconds()/d.Seconds())
	}
	gb := float64(size) * float64(b.N) / 1e9
	for i, name := range []string{"ours", "bare"} {
		b.ReportMetric(gb*1e3/took[i].Seconds(), name+"-MB/s")
		b.ReportMetric(cpu[i].Seconds()/gb, name+"-s/GB")
	}
	slices.Sort(speeds)
	slices.Sort(costs)
	b.ReportMetric(speeds[len(speeds)/2], "speed-ratio")
	b.ReportMetric(costs[len(costs)/2], "CPU-ratio")
}

// BenchmarkChatBesideFile measures how long a line takes to come back, with and without an
// upload on the same connection. Over loopback the processors are the
// bottleneck, and lines wait for those; over a link it is the link.
func BenchmarkChatBesideFile(b *testing.B) {
	b.Run("loopback", func(b *testing.B) {
		info, end := child(b, "ours")
		defer end()
		chatBesideFile(b, info)
	})
	for _, l := range []leg{{rate: 100e6, rtt: 2 * time.Millisecond}, {rate: 20e6, rtt: 20 * time.Millisecond}, {rate: 1e6, rtt: 60 * time.Millisecond}} {
		b.Run(fmt.Sprintf("%.0f MB/s, %v", l.rate/1e6, l.rtt), func(b *testing.B) {
			info, end := child(b, "ours")
			defer end()
			chatBesideFile(b, slowLink(b, info, l.rate, l.rtt/2))
		})
	}
}

func chatBesideFile(b *testing.B, info peer.AddrInfo) {
	anna := benchJoin(b, info)
	defer anna.leave()
	const lines = 300
	var quiet, busy []time.Duration
	var rate float64
	for round := 1; b.Loop(); round++ {
		quiet = append(quiet, roundTrips(anna, lines)...)
		ctx, cancel := context.WithCancel(context.Background())
		var sending sync.WaitGroup
		var done atomic.Int64
		sending.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				file := rooms.File{Name: "x", Size: 1 << 30, Hash: rooms.Hash{byte(round), byte(n)}}
				_, _ = anna.Upload(ctx, Outgoing{Room: "lobby", File: file, Content: zeros{}}, func(at, _ int64) { done.Store(at) })
			}
		})
		roundTrips(anna, 50) // until it runs
		began, from := time.Now(), done.Load()
		busy = append(busy, roundTrips(anna, lines)...)
		rate += float64(max(done.Load()-from, 0)) / time.Since(began).Seconds() / 1e6
		cancel()
		sending.Wait()
	}
	b.ReportMetric(rate/float64(b.N), "MB/s")
	for name, all := range map[string][]time.Duration{"quiet": quiet, "busy": busy} {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2].Seconds()*1e3, name+"-p50-ms")
		b.ReportMetric(all[len(all)*99/100].Seconds()*1e3, name+"-p99-ms")
	}
}

func roundTrips(f *friend, n int) (all []time.Duration) {
	for range n {
		began := time.Now()
		f.say("a line")
		all = append(all, time.Since(began))
		f.seen = nil
		time.Sleep(2 * time.Millisecond) // a person types slower
	}
	return all
}
