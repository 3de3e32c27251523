// Package wire answers: what do the bytes on a stream mean?
//
// It turns a [rooms.Command] or a [rooms.Event] into one frame and back, and
// nothing else: it opens no stream, starts no goroutine and keeps no state but
// a read buffer. PROTOCOL.md beside this file is the specification, wire.proto
// the layout of every message.
//
//	client                                host
//	  | -- Hello ---------------------->  |   at most HelloLimit
//	  | <--------------------- Welcome -- |   or a Refusal with ref 0: the end
//	  | -- ref 1, Join ---------------->  |   at most FrameLimit
//	  | <------------- ref 1, Entered --- |
//	  | <------------- ref 0, Posted ---- |
//
// A frame is
//
//	+------------------+---------------------------------------+
//	| length           | payload                               |
//	| uvarint, 1 to 3  | length bytes: one protobuf message,   |
//	| bytes, shortest  | Hello, then ClientFrame or HostFrame  |
//	+------------------+---------------------------------------+
//
// Guarantees, for both directions, because either end may be hostile:
//
//   - The length is compared with the limit before anything is allocated, and
//     what a frame costs to decode is bounded by its size.
//   - A value that comes out of a [Reader] has been checked: its strings are
//     UTF-8 and within their limits, its enums known, its times within the
//     years 1 to 9999, its counts not negative (but for the limits and uses in
//     a command, which package rooms refuses), its required parts there. What
//     the strings say is not checked: they are untrusted.
//   - No input makes the package panic.
//   - What AppendCommand and AppendEvent write is within the limits. A string
//     over its limit is cut to it; the limits are far above those of a host, so
//     a cut command is still refused as too long. Bytes that are not UTF-8
//     become U+FFFD.
//   - The same event gives the same bytes, so one frame can be sent to many.
package wire

//go:generate protoc --go_out=. --go_opt=module=p2pchat/node/wire wire.proto
