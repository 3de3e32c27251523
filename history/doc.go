// Package history answers: how do messages outlive the process?
//
// A [Store] is one directory on the host's disk. It keeps the state of the host
// (the list of [rooms.Change] that the registry made) and one [Log] of messages
// for every room. Nothing else in the program writes to that directory, and a
// lock keeps a second host out of it; [View] looks on without the lock.
//
// Guarantees:
//
//   - When [Log.Append] or [Store.Record] returns nil, what it was given is on
//     the disk: one write, then fdatasync, then nil. A new file is there only
//     when its directory was synced, too.
//   - A read sees only what is durable, in order, without a gap.
//   - After a power cut the last write may be there in part: sectors of it are zeros, or
//     its end is missing. What is broken of it is copied to lost/, cut off, and told by
//     [Log.Repaired]. All else that is broken is damage, never cut: a damaged room is
//     served read-only up to the damage. Only where a disk later clears a sector of the
//     very last write, or loses its end, does it look like a power cut; that, too, is
//     kept in lost/ and told.
//   - After a failed write or sync a log is read-only until [Log.Revive], or until it
//     is opened again. A failed sync is never tried again: the kernel may have dropped
//     the data and would then report success. Revive cuts off what was not
//     acknowledged and goes on in a new file.
//   - When [Log.Redact] returns nil, no file of the room holds the text any more; one
//     that a crash interrupts is carried out when the log is opened. The chain stays
//     whole, for it goes over the hash of the text. Copies on other disks, in free
//     blocks of this one, and in what a repair set aside are out of its reach.
//   - [Log.Retain] removes whole segments, the oldest first, each for good before the
//     next: a crash leaves no hole. Numbers and epoch go on even where nothing is left.
//   - On a full disk, changes that take a right away still fit for a while: the reserve
//     is removed for them.
//   - A Record is there as a whole or not at all. Messages of one Append may
//     survive a crash in part, the first ones; none of them was acknowledged.
//   - When [Upload.Finish] returns a claim, the content and the claim are on the disk. A
//     content is stored once, under its hash, and stays as long as a claim or a durable
//     message of a room refers to it; nothing incomplete ever has its name. When Redact or
//     Retain returns nil, the contents that only the removed messages referred to are gone.
//   - Memory does not grow with history: a page is found through a sparse index,
//     and only a bounded number of indexes is kept.
//
// A [Notebook] is the client's side: how far each room of a host was read, and the lines
// that the host has not confirmed. It is one small file, replaced as a whole. [People] is
// what a client remembers of other members: two files of the same kind.
//
// What the disk itself loses later is found (checksums, hash chain). [Store.Repair] keeps
// every whole frame, puts a placeholder where a message was, and the damaged files into
// lost/; where more may be missing at the end than can be counted, the history gets a new
// epoch, so that no member's cursor points into it. [Backup] copies a directory while its host
// runs, and [Restore] makes another one of it, with a new epoch for each room.
//
// # On disk
//
//	LOCK                              held by the host; its process number
//	reserve                           zeros, 1 MiB: space for bans on a full disk
//	state/state-<n>.log               the changes; the highest n counts, the one before is kept
//	state/new.tmp                     a snapshot being written
//	rooms/<room key>/seg-<seq>.log    messages from seq on, 16 hex digits
//	rooms/<room key>/rewrite.tmp      a segment being written without a text
//	rooms/<room key>/unsynced         empty: the last segment may be in the kernel only
//	rooms/<room key>/seg-<seq>.new    a segment that a repair is writing
//	rooms/<room key>/files/<seq>-<id>-<sha256>  an attachment: empty, its name says it all
//	files/blobs/<ab>/<sha256>         a content
//	files/blobs/<ab>/<sha256>.gone-<n>  one that is about to be removed
//	files/partial/<room key>-<sha256>-<size>-<member>  an upload that is not complete
//	files/claims/<id>                 an upload that is not posted: a header and one frame
//	files/claims/<id>.tmp             a claim being written
//	rooms/<room key>/lost/*.torn      what was cut off after a crash
//	rooms/<room key>/lost/*.damaged   what a repair has replaced; state/lost/, too
//
// and at a client, hosts/<host>/<own peer>/:
//
//	LOCK                              held by the process that has the notebook
//	notes                             a header with a checksum, and one gob; see notes.go
//	notes.tmp                         notes being written
//	notes.damaged, notes.newer        notes that could not be read, set aside
//	names                             the key that each nick had: JSON lines; see person.go
//
// and beside hosts/:
//
//	people                            keys that are verified or ignored: JSON lines
//
// Directories are 0700, files 0600. Each file starts with a header and goes on
// with frames. Numbers are little endian.
//
//	header, 64 bytes
//	 0  magic    8   "P2PCLOG1" messages, "P2PCSTA1" state, "P2PCCLM1" a claim
//	 8  version  u16 1
//	10  flags    u16 0
//	12  salt     u32 random; where the checksums of the frames start
//	16  room     16  room key; state: zero
//	32  first    u64 seq of the first frame
//	40  epoch    u64 identifies the history; state: frames in the snapshot
//	48  created  i64 Unix milliseconds
//	56  rewrites u32 how often the file was replaced by one without some text; state: 0
//	60  crc32c   u32 over bytes 0 to 59
//
//	frame, 18 bytes and the payload
//	 0  0xA7     u8
//	 1  flags    u8  R restart 1, B begin 2, E end 4, X redaction 8
//	 2  len      u32 bytes of payload, at most 256 KiB
//	 6  seq      u64
//	14  crc32c   u32 over flags, len, seq, payload, starting from the salt
//	18  payload      gob
//
// The salt keeps a member from saying something that would be taken for a frame,
// for nobody outside of the host knows it.
//
// The payloads of one block, at most 64 frames and about 64 KiB, are one gob
// stream: R marks its first frame, which carries the types and so can be decoded
// by itself. B marks the first frame of a write and E the last one. A frame with
// B was written after everything before it had been synced; so broken bytes
// before a B are damage. With no B behind them they are taken for a write that was
// never acknowledged, if the file ends inside the frame, or a sector of the frame (512
// bytes, aligned in the file) is zeros up to its end: a sector that was not written reads
// as zeros, for a write only ever goes behind the end of a file. The last byte of a gob
// is a zero by itself and does not count. A frame that is there as a whole, with a wrong
// checksum, is damage. So is one whose length reaches behind the end of the file while
// with the length up to that end its checksum is right. A last segment that is shorter
// than its header, or nothing but zeros in its place, was never used; any other broken
// header is damage.
//
// A redaction is a message whose body is the number of another one, in decimal; X marks
// it. Once it is durable, the segment of the other one is written anew, with the same
// salt and one more rewrite: all frames are copied, but those of one block are encoded
// again, with the same flags besides R, and without the body. A body that is empty,
// with the hash of something else, was taken out. Nothing is written to the log before
// that is done, so only redactions in the last write can be unfinished. Old readers see
// by the count of rewrites that their index is out of date.
//
// A message's payload holds the SHA-256 of its body and the chain before it: the
// first 16 bytes of a SHA-256 over the previous chain value and all of the
// previous message. Behind a message that a repair put in the place of a lost one, the
// chain may go on from any value; so may the first message that is left.
//
// gob fields are only ever added, never renamed or retyped. A later format version
// keeps magic, version and checksum of the header where they are, so that an older
// program can refuse it by name.
package history
