// Package app is the service: its HTTP interface, how requests are observed, and how it stops.
package app

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// note is what the sample endpoint takes and gives back.
type note struct {
	Text *string `json:"text"`
}

// routes returns the HTTP interface; leaving tells whether the process has been asked to stop.
func routes(leaving func() bool) http.Handler {
	mux := http.NewServeMux()
	// alive: it asks nobody else, since a failure here restarts the container
	mux.Handle("GET /health", failing(func(w http.ResponseWriter, _ *http.Request) error {
		return say(w, http.StatusOK, map[string]string{"status": "ok"})
	}))
	// whether requests should come here
	mux.Handle("GET /health/ready", failing(func(w http.ResponseWriter, _ *http.Request) error {
		if leaving() {
			return say(w, http.StatusServiceUnavailable, map[string]string{"status": "leaving"})
		}
		return say(w, http.StatusOK, map[string]string{"status": "ready"})
	}))
	mux.Handle("GET /metrics", promhttp.Handler())
	// a sample: put the service's own endpoints in its place
	mux.Handle("POST /v1/echo", failing(echo))
	return mux
}

func echo(w http.ResponseWriter, r *http.Request) error {
	var given note
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err == nil {
		err = json.Unmarshal(body, &given)
	}
	if err != nil || given.Text == nil || utf8.RuneCountInString(*given.Text) > 1000 {
		return say(w, http.StatusUnprocessableEntity, map[string]string{"detail": "text: must be at most 1000 characters"})
	}
	return say(w, http.StatusOK, given)
}

// failing is a handler that may fail before it has answered: then it says why to the log, and no more than 500 to who asked.
type failing func(http.ResponseWriter, *http.Request) error

func (f failing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f(w, r); err != nil {
		slog.ErrorContext(r.Context(), "request failed", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

func say(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who asked may have gone
	return nil
}
