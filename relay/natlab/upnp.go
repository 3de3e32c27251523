package natlab

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// upnpTable has the chains that miniupnpd fills. Its priorities put it before the
// home's own.
const upnpTable = `
table inet upnp
delete table inet upnp
table inet upnp {
	chain forward {
		type filter hook forward priority -1
		jump mapped
	}
	chain prerouting {
		type nat hook prerouting priority -110
		jump translated
	}
	chain postrouting {
		type nat hook postrouting priority 90
		jump returned
	}
	chain mapped {}
	chain translated {}
	chain returned {}
}`

const upnpConfig = `
ext_ifname=wan
listening_ip=lan
enable_upnp=yes
enable_natpmp=yes
secure_mode=yes
upnp_table_name=upnp
upnp_nat_table_name=upnp
upnp_forward_chain=mapped
upnp_nat_chain=translated
upnp_nat_postrouting_chain=returned
uuid=5c1e0000-0000-4000-8000-%012d
allow 1-65535 %s 1-65535
deny 0-65535 0.0.0.0/0 0-65535
`

// upnpServer is a running miniupnpd.
type upnpServer struct {
	cmd   *exec.Cmd
	ended chan error
}

// startUPnP starts miniupnpd on the router and waits until it serves.
func (h *Home) startUPnP() {
	h.lab.t.Helper()
	h.lab.must(h.router.run(upnpTable, "nft", "-f", "-"))
	name := filepath.Join(h.lab.etc, h.name+"-miniupnpd")
	config := fmt.Sprintf(upnpConfig, h.site, h.plan.lan.Masked())
	h.lab.must(os.WriteFile(name+".conf", []byte(config), 0o600))
	cmd := exec.Command("miniupnpd", "-d", "-f", name+".conf", "-P", name+".pid")
	log := &awaited{line: "Listening for NAT-PMP", seen: make(chan struct{})}
	cmd.Stderr = log
	h.lab.must(h.router.do(cmd.Start))
	s := &upnpServer{cmd, make(chan error, 1)}
	go func() { s.ended <- cmd.Wait() }()
	select {
	case <-log.seen:
		h.upnp = s
		h.lab.t.Cleanup(h.stopUPnP)
	case err := <-s.ended:
		h.lab.t.Fatalf("natlab: miniupnpd ended: %v\n%s", err, log.text)
	}
}

// stopUPnP ends miniupnpd and removes its mappings.
func (h *Home) stopUPnP() {
	if h.upnp == nil {
		return
	}
	h.lab.t.Helper()
	h.lab.must(h.upnp.cmd.Process.Kill())
	<-h.upnp.ended
	h.upnp = nil
	h.lab.must(h.router.run("delete table inet upnp\n", "nft", "-f", "-"))
}

// awaited is a log in which a line is waited for.
type awaited struct {
	line string
	text []byte
	seen chan struct{}
	done bool
}

func (a *awaited) Write(b []byte) (int, error) {
	if a.done {
		return len(b), nil
	}
	a.text = append(a.text, b...)
	if bytes.Contains(a.text, []byte(a.line)) {
		a.done = true
		close(a.seen)
	}
	return len(b), nil
}
