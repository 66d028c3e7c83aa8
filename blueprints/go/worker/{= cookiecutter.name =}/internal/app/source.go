package app

import (
	"context"
	"time"

	"service/internal/settings"
)

// Message is one that was taken: it stays with the queue until it is acknowledged.
type Message interface {
	// Body is what it says.
	Body() []byte
	// Properties stand beside it; traceparent among them is the trace that it belongs to.
	Properties() map[string]string
	// Ack says that it is done: the queue may forget it.
	Ack() error
	// Nack says that it is not done: the queue may give it again. To set one aside that never succeeds is the queue's
	// business.
	Nack() error
}

// Source is a queue, asked by one goroutine.
type Source interface {
	// Take waits for the next message, until ctx ends: then it returns the error of ctx. Any other error is logged, and
	// the queue is asked again a little later.
	Take(ctx context.Context) (Message, error)
	// Close lets the queue know that no more is taken.
	Close() error
}

// connect returns the source of this service's messages. A sample: put the client of its queue in its place.
func connect(settings.Settings) (Source, error) {
	return everySecond{}, nil
}

// everySecond is a queue that has one message a second.
type everySecond struct{}

func (everySecond) Take(ctx context.Context) (Message, error) {
	select {
	case <-time.After(time.Second):
		return sample("hello"), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (everySecond) Close() error { return nil }

// sample is a message that came from nowhere and goes there.
type sample string

func (s sample) Body() []byte                { return []byte(s) }
func (sample) Properties() map[string]string { return nil }
func (sample) Ack() error                    { return nil }
func (sample) Nack() error                   { return nil }
