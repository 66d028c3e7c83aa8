package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"service/internal/settings"
)

// Serve answers requests until SIGTERM or SIGINT, then leaves.
//
// Leaving: unready at once, still answering for the time of Drain, then no new connection, and at most the time of
// Finish for the requests that have begun.
func Serve(given settings.Settings) error {
	// watched for to the very end: a second signal would kill the process where nobody waits for it
	asked, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	leaving := func() bool { return asked.Err() != nil }
	server := &http.Server{
		Handler:           observed(routes(leaving), leaving),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute, // longer than proxies keep a connection: it is theirs to end
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(given.Host, strconv.Itoa(given.Port)))
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-asked.Done():
	}
	slog.Info("leaving", "drain_seconds", given.Drain.Seconds())
	time.Sleep(given.Drain)
	finish, cancel := context.WithTimeout(context.Background(), given.Finish)
	defer cancel()
	if server.Shutdown(finish) != nil {
		slog.Error("the requests in hand were not finished in time")
	}
	return nil
}
