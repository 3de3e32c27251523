package wire

import "p2pchat/node/wire/internal/pb"

// Hello is the first thing a client says on a stream.
type Hello struct {
	Version   string   // the client's program version, for people
	Client    uint64   // random: whose count the lines carry
	Instance  uint64   // random, not 0, one per process: a new stream with the same (peer, Instance) replaces the old one
	Nick      string   // the nick it would like; empty: any
	NickFixed bool     // refuse rather than vary the nick
	Features  []string // what else the client understands; unknown ones are to be ignored
}

// AppendHello appends the frame of h to buf. Features over the limits of the
// protocol are left out.
func AppendHello(buf []byte, h Hello) []byte {
	m := &pb.Hello{
		Version:   clip(h.Version, versionLimit),
		Client:    h.Client,
		Instance:  h.Instance,
		Nick:      clip(h.Nick, nameLimit),
		NickFixed: h.NickFixed,
	}
	for _, feature := range h.Features {
		if isPrintable(feature) && len(feature) <= featureLimit && len(m.Features) < featureCount {
			m.Features = append(m.Features, feature)
		}
	}
	return appendFrame(buf, m)
}

// Hello reads a Hello. The host calls it once, first.
func (r *Reader) Hello() (Hello, error) {
	var m pb.Hello
	if _, err := r.read(&m, HelloLimit); err != nil {
		return Hello{}, err
	}
	var c check
	h := Hello{
		Version:   c.text("hello.version", m.Version, versionLimit),
		Client:    m.Client,
		Instance:  m.Instance,
		Nick:      c.text("hello.nick", m.Nick, nameLimit),
		NickFixed: m.NickFixed,
		Features:  m.Features,
	}
	if h.Instance == 0 {
		c.fail("hello.instance", "missing") // so that another frame can't pass for a hello
	}
	if len(h.Features) > featureCount {
		c.fail("hello.features", "too many")
	}
	for _, feature := range h.Features {
		c.ascii("hello.features", feature, featureLimit)
	}
	if err := c.err(0); err != nil {
		return Hello{}, err
	}
	return h, nil
}
