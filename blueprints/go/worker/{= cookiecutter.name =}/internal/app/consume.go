package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"service/internal/logs"
	"service/internal/metrics"
	"service/internal/trace"
)

const (
	look  = 10 * time.Second // how long one look for a message may last
	pause = 5 * time.Second  // how long the loop waits where the source has failed
)

var (
	messages = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "messages_total",
		Help: "Messages handled.",
	}, []string{"result"})
	seconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name:    "message_duration_seconds",
		Help:    "Seconds that a message took.",
		Buckets: metrics.Buckets,
	})
	inProgress = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "messages_in_progress",
		Help: "Messages in hand.",
	})
	// with 0 from the start: a first error that comes with its series is no rise
	results = map[string]prometheus.Counter{
		"ok":    messages.WithLabelValues("ok"),
		"error": messages.WithLabelValues("error"),
	}
)

type handler func(context.Context, Message) error

// consume takes messages and handles them, one after the other, until leaving ends; none is begun after that.
func consume(leaving context.Context, source Source, do handler, pulse *pulse) {
	ended := false
	defer func() {
		if !ended { // a panic, or runtime.Goexit: the process goes on, and its probe tells
			pulse.stop()
			problem := fmt.Sprintf("%v\n%s", recover(), debug.Stack())
			slog.Log(context.Background(), logs.Critical, "no more messages are taken", "error", problem)
		}
	}()
	for leaving.Err() == nil {
		pulse.beat(false)
		message := taken(leaving, source)
		switch {
		case message == nil:
		case leaving.Err() != nil:
			giveBack(leaving, message)
		default:
			pulse.beat(true)
			work(message, do)
			pulse.beat(false)
		}
	}
	if err := source.Close(); err != nil {
		slog.Error("the queue could not be closed", "error", err)
	}
	ended = true
}

// taken returns what the source has; a queue that cannot be reached is no reason to end, nor one for a probe to fail.
func taken(leaving context.Context, source Source) Message {
	looking, done := context.WithTimeout(leaving, look)
	defer done()
	message, err := source.Take(looking)
	if err == nil {
		return message
	}
	if looking.Err() != nil && errors.Is(err, looking.Err()) {
		return nil
	}
	slog.Error("no message could be taken", "error", err)
	select {
	case <-leaving.Done():
	case <-time.After(pause):
	}
	return nil
}

// work handles one message: its trace, its log line, its metrics. SIGTERM does not end its context: it may finish.
func work(message Message, do handler) {
	ctx := trace.Begin(context.Background(), message.Properties()["traceparent"])
	result, began := "ok", time.Now()
	if err := attempt(ctx, message, do); err != nil {
		slog.ErrorContext(ctx, "message failed", "error", err)
		giveBack(ctx, message)
		result = "error"
	}
	took := time.Since(began).Seconds()
	results[result].Inc()
	seconds.Observe(took)
	slog.InfoContext(ctx, "message", "result", result, "seconds", math.Round(took*1e4)/1e4)
}

// attempt handles a message and acknowledges it; a panic is an error as others are.
func attempt(ctx context.Context, message Message, do handler) (err error) {
	inProgress.Inc()
	defer func() {
		inProgress.Dec()
		if failed := recover(); failed != nil {
			err = fmt.Errorf("%v\n%s", failed, debug.Stack())
		}
	}()
	if err := do(ctx, message); err != nil {
		return err
	}
	return message.Ack()
}

func giveBack(ctx context.Context, message Message) {
	if err := message.Nack(); err != nil { // the queue gives it again by itself, when it hears no more of it
		slog.ErrorContext(ctx, "a message could not be given back", "error", err)
	}
}
