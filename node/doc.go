// Package node answers: who is connected, and who runs when?
//
// It is the shell around package rooms: libp2p streams, goroutines and the
// clock. Another Go program (a bot, a load generator) can use it as it is:
//
//	host, err := node.NewHost(node.HostConfig{…})           // a chat server
//	client, err := node.Dial(ctx, node.ClientConfig{…})     // a connection to one
//	said := <-client.Send(rooms.Say{Kind: rooms.Text, Text: "hello"})
//	for event := range client.Events() { … }
//
// # Who runs when
//
// On the host: one registrar goroutine owns the rooms.Registry; one goroutine a
// room owns its rooms.Room and is the only writer of its log; three goroutines a
// session, one reads commands, one handles them, one writes what waits in the
// session's outbox. On the client: one goroutine owns the connection's state, one
// reads, one writes; through a relay one more looks for a direct way. They send to
// each other; nobody waits for a member's network. A file has a stream of its own beside
// the chat, with two goroutines at each end: Client.Upload, Client.Download.
//
// # Promises
//
// A line is acknowledged and shown only when it is in the room's log on disk. A
// member in a room gets every message from its place on, once and in order: what
// does not fit its outbox is read again from the log. A client that lost its
// connection comes back by itself, goes on behind the last message it has, and
// sends its unanswered lines again; the host recognises those it knows. After
// Close no goroutine is left.
package node
