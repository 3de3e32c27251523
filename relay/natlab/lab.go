package natlab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// namePrefix begins the name of every namespace; the process and the number of
// the lab follow.
const namePrefix = "natlab-"

var labs atomic.Int64

// Options are what holds for a whole lab.
type Options struct {
	Delay    time.Duration // one way, between any two sites
	IPv6     bool          // public machines have IPv6 too
	WANInput string        // what routers do with what nobody asked for: "drop" (or ""), "reject", "accept"
}

// Lab is one internet. Its methods, and those of its homes and machines, fail the
// test when something goes wrong, so they belong to the test's goroutine.
type Lab struct {
	t        testing.TB
	options  Options
	prefix   string // of the names of namespaces
	etc      string // the folder whose files programs see in /etc
	internet *namespace
	opened   []*namespace
	delay    *delay
	sites    int
}

// New builds an internet without sites. It is gone when the test ends.
func New(t testing.TB, o Options) *Lab {
	t.Helper()
	if what := missing(); what != "" {
		t.Skipf("natlab needs %s", what)
	}
	if !slices.Contains([]string{"", "drop", "reject", "accept"}, o.WANInput) {
		t.Fatalf("natlab: routers cannot %q what comes in", o.WANInput)
	}
	l := &Lab{t: t, options: o, etc: t.TempDir(), sites: 9}
	l.prefix = fmt.Sprintf("%s%d-%d-", namePrefix, os.Getpid(), labs.Add(1))
	t.Cleanup(l.tearDown)
	_ = removeNamespaces(leftovers()) // another lab may be removing them as well
	l.must(l.names("127.0.0.1 localhost\n"))
	// Without a nameserver that answers at once, looking up a name would hang.
	l.must(os.WriteFile(filepath.Join(l.etc, "resolv.conf"), []byte("nameserver 127.0.0.1\n"), 0o644))

	internet, err := l.open("internet", true)
	if err != nil {
		t.Skipf("natlab needs network namespaces: %v", err)
	}
	l.internet = internet
	// Nothing answers for addresses that nobody has, as in the real one.
	l.must(internet.ip("route add blackhole 0.0.0.0/0", "route add blackhole ::/0"))
	l.must(internet.run(internetRules, "nft", "-f", "-"))
	l.SetDelay(o.Delay)
	return l
}

// Has tells whether this machine can do a kind.
func (l *Lab) Has(k Kind) bool {
	if k != UPnP {
		return true
	}
	_, err := exec.LookPath("miniupnpd")
	return err == nil
}

// SetDelay changes how long a packet takes from one site to another.
func (l *Lab) SetDelay(d time.Duration) {
	l.t.Helper()
	switch {
	case l.delay != nil:
		l.delay.set(d)
	case d > 0:
		if _, err := exec.LookPath("iptables"); err != nil {
			l.t.Skip("natlab needs iptables for a delay")
		}
		started, err := startDelay(l.internet, d)
		l.must(err)
		l.delay = started
	}
}

// SetLoss changes how many of a hundred packets get lost between two sites.
func (l *Lab) SetLoss(percent float64) {
	l.t.Helper()
	l.must(l.internet.run(lossRules(percent), "nft", "-f", "-"))
}

// Public adds a machine with a public address. Programs inside the lab know it by
// its name, too.
func (l *Lab) Public(name string) *Machine {
	l.t.Helper()
	m := &Machine{Name: name, lab: l, site: l.site()}
	ns, err := l.open(name, false)
	l.must(err)
	m.ns = ns
	m.IP4 = address("5.%d.0.2", m.site)
	m.gateway4 = address("5.%d.0.1", m.site)
	l.cable(l.internet, port(m.site), ns, "eth0")
	l.must(l.internet.ip(fmt.Sprintf("addr add %s/24 dev %s", m.gateway4, port(m.site))))
	if l.options.IPv6 {
		m.IP6 = address("2a02:%d::2", m.site)
		m.gateway6 = address("2a02:%d::1", m.site)
		l.must(l.internet.ip(
			linkLocal(1, port(m.site)),
			fmt.Sprintf("addr add %s/64 dev %s nodad", m.gateway6, port(m.site)),
		))
	}
	m.number()
	l.must(l.names(fmt.Sprintf("%s %s\n", m.IP4, name)))
	return m
}

// cable connects two namespaces, with both ends up.
func (l *Lab) cable(a *namespace, aName string, b *namespace, bName string) {
	l.t.Helper()
	l.must(run("", "ip", "link", "add", aName, "netns", a.name, "type", "veth", "peer", "name", bName, "netns", b.name))
	l.must(a.ip("link set " + aName + " up"))
	l.must(b.ip("link set " + bName + " up"))
}

// open makes one of the lab's namespaces.
func (l *Lab) open(name string, forwards bool) (*namespace, error) {
	ns, err := openNamespace(l.prefix+name, forwards)
	if ns != nil {
		l.opened = append(l.opened, ns)
	}
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(etcDir, 0o755); err != nil {
		return nil, err
	}
	return ns, os.Symlink(l.etc, filepath.Join(etcDir, ns.name))
}

// names adds lines to the table of names that programs inside the lab see.
func (l *Lab) names(lines string) error {
	f, err := os.OpenFile(filepath.Join(l.etc, "hosts"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(lines)
	return errors.Join(err, f.Close())
}

func (l *Lab) site() int {
	l.t.Helper()
	l.sites++
	if l.sites > 250 {
		l.t.Fatal("natlab: no more than 240 sites")
	}
	return l.sites
}

// must ends the test if something went wrong.
func (l *Lab) must(err error) {
	if err != nil {
		l.t.Helper()
		l.t.Fatalf("natlab: %v", err)
	}
}

func (l *Lab) tearDown() {
	var names []string
	if l.delay != nil {
		if err := l.delay.Close(); err != nil {
			l.t.Errorf("natlab: %v", err)
		}
	}
	for _, ns := range l.opened {
		names = append(names, ns.name)
		ns.file.Close()
	}
	if err := removeNamespaces(names); err != nil {
		l.t.Errorf("natlab: %v", err)
	}
}

// port names a site's end of its cable in the internet.
func port(site int) string { return fmt.Sprintf("site%d", site) }

// linkLocal gives a router's interface a link-local address. Without one a router cannot
// ask for its neighbours, and the kernel's own comes a second late.
func linkLocal(number int, dev string) string {
	return fmt.Sprintf("addr replace fe80::%d/64 dev %s nodad", number, dev)
}

func address(format string, numbers ...any) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf(format, numbers...))
}
