// Package relay answers: by which path do two peers reach each other?
//
// A [Net] is a libp2p host together with what it takes to reach others, and to be
// reached: [Net.Connect] opens a connection by whichever way answers first,
// [Net.Punch] finds a direct one where that goes through a relay, [Net.Offer] makes a
// host reachable, [Net.Path] names the way. A [Service] is the relay itself. [Examine]
// is what p2pchat doctor tells. The package knows nothing of rooms.
//
// # Who runs when
//
// One keeper goroutine a relay holds a host's place there. One each watches the
// machine's network, asks the router for ports, tells the LAN, and publishes in the
// directory. A trial to connect has one goroutine a way. They share the addresses
// (reach) and what others see (observer), each guarded by its mutex. After Close none
// is left.
//
// # Guarantees
//
// With network none, a Net listens and dials only what it is told to. Only relays and
// peers of the directory are asked how this machine looks, never members. Addresses
// that a peer names are dialled for a punch only if they are public, or inside a
// network that both sides are seen to share. libp2p's own limits, made for swarms of
// strangers (8 connections from one address, closing at 192), do not apply; the
// limits of a chat host take their place, so that a class behind one router or one
// relay gets in.
package relay
