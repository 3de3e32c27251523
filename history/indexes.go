package history

import (
	"slices"
	"sync"
)

// maxIndexes bounds the indexes of closed segments that are kept: 64 of at most
// about 32 KiB, for all rooms together.
const maxIndexes = 64

// indexCache keeps the indexes of closed segments that were used last, by path.
type indexCache struct {
	mu     sync.Mutex
	cached []cachedIndex // guarded by mu; the last used one is the last
}

type cachedIndex struct {
	path  string
	index index
}

func (c *indexCache) get(path string) (index, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.cached, func(e cachedIndex) bool { return e.path == path })
	if i < 0 {
		return index{}, false
	}
	e := c.cached[i]
	c.cached = append(slices.Delete(c.cached, i, i+1), e)
	return e.index, true
}

func (c *indexCache) put(path string, x index) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(path)
	if len(c.cached) >= maxIndexes {
		c.cached = slices.Delete(c.cached, 0, 1)
	}
	c.cached = append(c.cached, cachedIndex{path, x})
}

// drop forgets a segment that was rewritten or is gone.
func (c *indexCache) drop(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(path)
}

// remove takes a path out; the caller holds mu.
func (c *indexCache) remove(path string) {
	c.cached = slices.DeleteFunc(c.cached, func(e cachedIndex) bool { return e.path == path })
}
