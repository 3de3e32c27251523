// Package rooms answers: what is true about rooms, and what follows from a
// command?
//
// It is the pure core of p2pchat. A [Command] goes in, an [Event] or a
// [*Refusal] comes out; time and randomness are arguments. The package opens no
// socket and no file, starts no goroutine, reads no clock and holds no lock:
// whoever calls it owns the value for the duration of the call.
//
// Two values hold the state, each owned by one goroutine of the node:
//
//   - [Registry]: which rooms exist, who is where, nicks, roles, bans, invites.
//     [Registry.Decide] looks and answers with a [Decision]; [Registry.Apply]
//     then makes its changes true. Durable changes are plain records, so that
//     the state on disk is nothing but the list of what happened.
//   - [Room]: one room's conversation. It gives every accepted line the next
//     sequence number and recognises a line that was sent before.
//
// Guarantees: a refused command changes nothing; the sequence numbers of a room
// have no gap; a room never holds more members than its limit; a private room
// and a room that does not exist answer alike to everybody outside of it.
package rooms
