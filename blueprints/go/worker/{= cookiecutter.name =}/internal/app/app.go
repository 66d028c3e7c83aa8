// Package app is the service: what it does with a message, the loop that takes them, and how it stops.
package app

import (
	"context"
	"log/slog"
)

// handle does what a message asks for; an error gives it back to the queue. A sample: put the service's own work in its
// place.
func handle(ctx context.Context, message Message) error {
	slog.DebugContext(ctx, "a message", "bytes", len(message.Body()))
	return nil
}
