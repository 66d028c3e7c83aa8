// The service: without arguments it runs until SIGTERM; `service ask [URL]` tells whether a service answers 2xx within
// two seconds, without a URL this container's own.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	_ "time/tzdata" // the image has no time zones

	"service/internal/app"
	"service/internal/ask"
	"service/internal/logs"
	"service/internal/memory"
	"service/internal/settings"
)

// Exit codes for wrong arguments and for a wrong environment: EX_USAGE and EX_CONFIG of sysexits.h.
const (
	wrongUsage    = 64
	wrongSettings = 78
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run runs the service, or asks one, and returns the exit code.
func run(arguments []string) int {
	if len(arguments) > 0 && arguments[0] == "ask" {
		if problem := ask.Wrong(append(arguments[1:], "")[0], os.Getenv); problem != "" {
			fmt.Fprintln(os.Stderr, problem)
			return 1
		}
		return 0
	}
	if len(arguments) > 0 {
		fmt.Fprintf(os.Stderr, "unknown: %s; the service takes no arguments, or: ask [URL]\n", arguments[0])
		return wrongUsage
	}
	given, problems := settings.Read(os.Getenv)
	if len(problems) > 0 {
		log := logs.New(os.Stdout, settings.Default())
		for _, problem := range problems {
			log.Log(context.Background(), logs.Critical, problem)
		}
		return wrongSettings
	}
	slog.SetDefault(logs.New(os.Stdout, given))
	memory.Bound()
	if err := app.Serve(given); err != nil {
		slog.Log(context.Background(), logs.Critical, "cannot go on", "error", err) // the last words are a log line too
		return 1
	}
	return 0
}
