package jid

import "strings"

// Cache remembers the results of parsing that needed work: addresses that are not ASCII or not canonical. A peer that
// writes them at all writes the same few again and again.
//
// It holds at most 2 × size entries in two generations: when the young one is full it becomes the old one and what was
// not asked for since is forgotten. Refusals are not remembered, so a flood of bad addresses evicts nothing.
// One goroutine owns a Cache; there is no lock inside. The zero value remembers nothing and works.
type Cache struct {
	size       int
	young, old map[string]JID
}

// NewCache returns a cache with generations of size entries; a size below 1 gives a cache that remembers nothing.
func NewCache(size int) *Cache { return &Cache{size: size} }

// Parse is the same as the function Parse.
func (c *Cache) Parse(s string) (JID, error) {
	if j, ok := parseCanonical(s); ok {
		return j, nil
	}
	if j, ok := c.young[s]; ok {
		return j, nil
	}
	if j, ok := c.old[s]; ok {
		c.keep(s, j)
		return j, nil
	}
	j, err := Parse(s)
	if err == nil {
		c.keep(s, j)
	}
	return j, err
}

// Len returns the number of entries held, for metrics and tests.
func (c *Cache) Len() int { return len(c.young) + len(c.old) }

// keep stores copies: neither key nor value may hold on to the buffer that s points into.
func (c *Cache) keep(s string, j JID) {
	if c.size < 1 {
		return
	}
	if c.young == nil || len(c.young) >= c.size {
		c.old, c.young = c.young, make(map[string]JID, c.size)
	}
	c.young[strings.Clone(s)] = j.Clone()
}
