package node

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// slowLink leads to a host over a link of so many bytes a second, with a delay each way. In
// front of it is a buffer as routers have one: what is sent faster waits there.
func slowLink(t testing.TB, host peer.AddrInfo, rate float64, delay time.Duration) peer.AddrInfo {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to, err := manet.ToNetAddr(host.Addrs[0])
	if err != nil {
		t.Fatal(err)
	}
	var links sync.WaitGroup
	t.Cleanup(func() { l.Close(); links.Wait() })
	links.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to.String())
			if err != nil {
				near.Close()
				continue
			}
			links.Go(func() { carry(far, near, rate, delay) })
			links.Go(func() { carry(near, far, rate, delay) })
		}
	})
	addr, err := manet.FromNetAddr(l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return peer.AddrInfo{ID: host.ID, Addrs: []ma.Multiaddr{addr}}
}

// carry carries bytes one way.
func carry(to, from net.Conn, rate float64, delay time.Duration) {
	type parcel struct {
		b   []byte
		due time.Time
	}
	const mtu = 16 << 10
	buffer := make(chan parcel, 1<<20/mtu) // 1 MiB
	var work sync.WaitGroup
	work.Go(func() {
		for p := range buffer {
			time.Sleep(time.Until(p.due))
			if _, err := to.Write(p.b); err != nil {
				from.Close()
			}
		}
	})
	for free := time.Now(); ; {
		b := make([]byte, mtu)
		n, err := from.Read(b)
		if err != nil {
			break
		}
		if now := time.Now(); free.Before(now) {
			free = now
		}
		free = free.Add(time.Duration(float64(n) / rate * float64(time.Second)))
		buffer <- parcel{b[:n], free.Add(delay)}
	}
	close(buffer)
	work.Wait()
	to.Close()
}
