package app

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"service/internal/metrics"
	"service/internal/trace"
)

var (
	requests = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total",
		Help: "Requests answered.",
	}, []string{"method", "route", "status"})
	seconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "http_request_duration_seconds",
		Help:    "Seconds from a request to its answer.",
		Buckets: metrics.Buckets,
	}, []string{"method", "route"})

	methods  = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
	unlogged = []string{"/health", "/health/ready", "/metrics"} // asked every few seconds
)

// observed returns next with every request traced, logged and counted; while leaving, callers are told to connect
// elsewhere.
func observed(next http.Handler, leaving func() bool) http.Handler {
	return http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		began, w := time.Now(), &watched{ResponseWriter: to, leaving: leaving}
		r = r.WithContext(trace.Begin(r.Context(), r.Header.Get("traceparent")))
		defer func() {
			failed := recover()
			begun := w.status != 0
			if failed != nil && failed != http.ErrAbortHandler {
				slog.ErrorContext(r.Context(), "request failed", "error", fmt.Sprintf("%v\n%s", failed, debug.Stack()))
			}
			if failed != nil && !begun {
				http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			} else if !begun {
				w.WriteHeader(http.StatusOK)
			}
			tell(r, w.status, time.Since(began))
			if failed != nil && begun {
				panic(http.ErrAbortHandler) // the connection breaks: half an answer must not look like a whole one
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func tell(r *http.Request, status int, took time.Duration) {
	// the route's template, never the path itself: each label value is a time series for ever
	route := "unmatched"
	if start := strings.Index(r.Pattern, "/"); start >= 0 {
		route = r.Pattern[start:] // without the method
	}
	method := "other"
	if slices.Contains(methods, r.Method) {
		method = r.Method
	}
	requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	seconds.WithLabelValues(method, route).Observe(took.Seconds())
	if !slices.Contains(unlogged, route) {
		slog.InfoContext(r.Context(), "request",
			"method", method, "path", r.URL.Path, "status", status, "seconds", math.Round(took.Seconds()*1e4)/1e4)
	}
}

// watched notes the status that is answered.
type watched struct {
	http.ResponseWriter
	leaving func() bool
	status  int
}

func (w *watched) WriteHeader(status int) {
	if w.status == 0 && status >= 200 { // those below announce the answer, and are none
		w.status = status
		if w.leaving() {
			w.Header().Set("Connection", "close")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach what is watched.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
