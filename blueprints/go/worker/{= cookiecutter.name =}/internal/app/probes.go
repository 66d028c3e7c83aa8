package app

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// probes returns what probes and Prometheus are answered.
func probes(healthy, leaving func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if !healthy() {
			say(w, http.StatusServiceUnavailable, "stuck")
			return
		}
		say(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /health/ready", func(w http.ResponseWriter, _ *http.Request) {
		switch {
		case !healthy():
			say(w, http.StatusServiceUnavailable, "stuck")
		case leaving():
			say(w, http.StatusServiceUnavailable, "leaving")
		default:
			say(w, http.StatusOK, "ready")
		}
	})
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusNotFound, "not found") })
	return mux
}

func say(w http.ResponseWriter, status int, word string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"status":%q}`, word) // who asked may have gone
}

// listen answers as long as the process lives; an error tells that the port cannot be had.
func listen(address string, answers http.Handler) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:     answers,
		ReadTimeout: 5 * time.Second,
		ErrorLog:    slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug), // who asked has gone
	}
	go func() { slog.Error("no probe is answered", "error", server.Serve(listener)) }()
	return nil
}
