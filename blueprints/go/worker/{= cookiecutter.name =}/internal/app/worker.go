package app

import (
	"context"
	"log/slog"
	"net"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"service/internal/settings"
)

// Serve takes messages until SIGTERM or SIGINT, then leaves.
//
// Leaving: unready at once, no new message, and at most the time of Finish for the one in hand. What is not finished by
// then was not acknowledged: the queue gives it to somebody else.
func Serve(given settings.Settings) error {
	// watched for to the very end: a second signal would kill the process where nobody waits for it
	leaving, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	pulse := &pulse{}
	pulse.beat(false)
	address := net.JoinHostPort(given.Host, strconv.Itoa(given.Port))
	if err := listen(address, probes(pulse.alive, func() bool { return leaving.Err() != nil })); err != nil {
		return err
	}
	source, err := connect(given)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		consume(leaving, source, handle, pulse)
	}()
	<-leaving.Done()
	slog.Info("leaving", "finish_seconds", given.Finish.Seconds())
	select {
	case <-ended:
	case <-time.After(given.Finish):
	}
	if pulse.busy() {
		slog.Error("the message in hand was not finished in time")
	}
	return nil
}
