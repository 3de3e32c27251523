// Package natlab answers: what does the real binary meet on the real internet?
//
// It builds an internet of Linux network namespaces, without any link to the
// outside: public machines, homes behind routers with each kind of NAT, a delay
// and a loss between them, and lines of a rate. A test starts programs in it and changes it while
// they run. It needs root, Linux, ip, nft and conntrack; without them [New] skips the
// test and says what is missing.
//
//	relay 5.10.0.2     boot 5.11.0.2       more public machines
//	          \             |             /
//	           +------- internet --------+      routes; delay and loss live here
//	               |                 |
//	          [carrier a]       [carrier b]     routes; translates for CGNAT only
//	               | WAN             | WAN      5.12.0.2, or 100.64.13.2 behind a CGNAT carrier
//	          [router a]        [router b]      nftables, conntrack, miniupnpd
//	               | bridge          | bridge   192.168.12.1, with multicast
//	          host, second      joiner, ...     192.168.12.10, .11, ...
//
// Every box is a namespace, every line a pair of veth interfaces. A site has a
// number s, unique in the lab: its public addresses are in 5.s.0.0/16 and 2a02:s::/32, which
// libp2p takes as public (the ranges reserved for documentation it does not).
// Every path between two sites crosses the internet once, so it takes
// twice the delay there and back. TCP is cubic, as on most machines, or reno where the kernel
// does not let a namespace choose that.
//
// Guarantees: labs do not see each other and may run side by side. When the
// test ends, every process in the lab is killed and every namespace is deleted. What a lab
// left behind whose process was killed, the next lab removes.
package natlab
