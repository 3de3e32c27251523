package natlab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// netnsDir is where ip keeps its namespaces, etcDir where it looks for the
// files that a program inside shall see in /etc.
const (
	netnsDir = "/run/netns"
	etcDir   = "/etc/netns"
)

// namespace is one box of the lab.
type namespace struct {
	name string
	file *os.File
}

// openNamespace makes a namespace in which loopback is up and addresses work at
// once. One that forwards is a router. What it returns besides an error is to be removed.
func openNamespace(name string, forwards bool) (*namespace, error) {
	if err := run("", "ip", "netns", "add", name); err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(netnsDir, name))
	ns := &namespace{name, file}
	if err != nil {
		return ns, err
	}
	settings := map[string]string{
		"ipv4/ip_unprivileged_port_start":     "0",
		"ipv4/conf/all/rp_filter":             "0",
		"ipv4/conf/default/rp_filter":         "0",
		"ipv6/conf/all/accept_dad":            "0",
		"ipv6/conf/default/accept_dad":        "0",
		"ipv6/conf/all/keep_addr_on_down":     "1",
		"ipv6/conf/default/keep_addr_on_down": "1",
	}
	if forwards {
		settings["ipv4/ip_forward"] = "1"
		settings["ipv6/conf/all/forwarding"] = "1"
		settings["ipv6/conf/default/forwarding"] = "1"
	}
	for key, value := range settings {
		if err := ns.set(key, value); err != nil {
			return ns, err
		}
	}
	// TCP as most machines have it, not as this one may. BBR, for one, all but stops for 0.2 s every ten.
	// Where the kernel does not let a namespace choose cubic, reno comes closest.
	if ns.set("ipv4/tcp_congestion_control", "cubic") != nil {
		if err := ns.set("ipv4/tcp_congestion_control", "reno"); err != nil {
			return ns, err
		}
	}
	return ns, ns.ip("link set lo up")
}

// set writes a setting of the namespace's network, a path below /proc/sys/net.
func (ns *namespace) set(key, value string) error {
	return ns.do(func() error {
		return os.WriteFile(filepath.Join("/proc/sys/net", key), []byte(value), 0o644)
	})
}

// ip runs commands of ip in the namespace, one a line.
func (ns *namespace) ip(commands ...string) error {
	return run(strings.Join(commands, "\n")+"\n", "ip", "-n", ns.name, "-batch", "-")
}

// ip4 is ip for IPv4 only: what it flushes leaves IPv6 alone.
func (ns *namespace) ip4(commands ...string) error {
	return run(strings.Join(commands, "\n")+"\n", "ip", "-4", "-n", ns.name, "-batch", "-")
}

// run runs a program in the namespace until it ends.
func (ns *namespace) run(stdin, name string, args ...string) error {
	return ns.do(func() error { return run(stdin, name, args...) })
}

// forget makes a router forget every connection it tracks.
func (ns *namespace) forget() error { return ns.run("", "conntrack", "-F") }

// run runs a program until it ends. Its error has what the program wrote.
func run(stdin, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w: %s\n%s", cmd.Args, err, out, stdin)
	}
	return nil
}

// removeNamespaces kills the processes in these namespaces and deletes them.
// Each step is tried, whatever became of the others.
func removeNamespaces(names []string) error {
	var errs []error
	for _, name := range names {
		out, err := exec.Command("ip", "netns", "pids", name).Output()
		errs = append(errs, err)
		for _, word := range strings.Fields(string(out)) {
			if pid, err := strconv.Atoi(word); err == nil && pid != os.Getpid() {
				errs = append(errs, kill(pid))
			}
		}
		if err := os.Remove(filepath.Join(etcDir, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		errs = append(errs, run("", "ip", "netns", "delete", name))
	}
	return errors.Join(errs...)
}

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// leftovers lists the namespaces of labs whose process has ended.
func leftovers() []string {
	entries, err := os.ReadDir(netnsDir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), namePrefix)
		if !ok {
			continue
		}
		pid, _, _ := strings.Cut(rest, "-")
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, fs.ErrNotExist) {
			names = append(names, e.Name())
		}
	}
	return names
}
