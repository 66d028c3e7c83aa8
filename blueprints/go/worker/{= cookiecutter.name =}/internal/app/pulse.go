package app

import (
	"sync"
	"time"
)

// hang is how long the loop may look for nothing, with nothing in hand, before it counts as hanging.
const hang = time.Minute

// pulse is the loop's sign of life, which probes read.
type pulse struct {
	mutex        sync.Mutex
	last         time.Time
	inHand, dead bool
}

// beat says that the loop is here, with or without a message in hand.
func (p *pulse) beat(inHand bool) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.last, p.inHand = time.Now(), inHand
}

// stop says that the loop has ended, and was not asked to.
func (p *pulse) stop() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.dead = true
}

// alive tells whether the loop runs; how long a message in hand takes, is the message's business.
func (p *pulse) alive() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return !p.dead && (p.inHand || time.Since(p.last) <= hang)
}

// busy tells whether a message is in hand.
func (p *pulse) busy() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.inHand
}
