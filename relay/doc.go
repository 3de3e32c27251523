// Package relay answers: by which path do two peers reach each other?
//
// It makes the libp2p host under a chat host or client ([NewHost]) and tells
// which path a connection takes ([PathOf]). It knows nothing of rooms.
//
// Guarantees: with network none, a host listens and dials only what it is told
// to. libp2p's own limits, made for swarms of strangers (8 connections from one
// address, closing at 192), do not apply; the limits of a chat host take their
// place, so that a class behind one router or one relay gets in.
package relay
