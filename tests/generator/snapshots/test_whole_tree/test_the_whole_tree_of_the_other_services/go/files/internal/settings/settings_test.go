package settings

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

func environment(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

func TestAnEmptyEnvironmentGivesTheDefaults(t *testing.T) {
	given, problems := Read(environment(nil))
	if given != Default() || problems != nil {
		t.Errorf("%+v %q", given, problems)
	}
}

func TestTheEnvironmentDecides(t *testing.T) {
	given, problems := Read(environment(map[string]string{
		"SERVICE": "echo", "VERSION": "abc", "HOST": "::1", "PORT": "9000", "LOG_LEVEL": "debug",
		"DRAIN_SECONDS": "1.5", "FINISH_SECONDS": " 2.5 ",
	}))
	expected := Settings{Service: "echo", Version: "abc", Host: "::1", Port: 9000, LogLevel: slog.LevelDebug}
	expected.Drain = 1500 * time.Millisecond
	expected.Finish = 2500 * time.Millisecond
	if given != expected || problems != nil {
		t.Errorf("%+v %q", given, problems)
	}
}

func TestAPortThatIsNoneIsRefused(t *testing.T) {
	for _, port := range []string{"0", "65536", "80.5", "http", "nan", "inf"} {
		_, problems := Read(environment(map[string]string{"PORT": port}))
		if len(problems) != 1 || !strings.HasPrefix(problems[0], "PORT: must be") {
			t.Errorf("%s: %q", port, problems)
		}
	}
}

func TestAllMistakesAreToldTogether(t *testing.T) {
	_, problems := Read(environment(map[string]string{"PORT": "x", "LOG_LEVEL": "loud", "FINISH_SECONDS": "-1"}))
	var names []string
	for _, problem := range problems {
		name, _, _ := strings.Cut(problem, ":")
		names = append(names, name)
	}
	if !slices.Equal(names, []string{"PORT", "LOG_LEVEL", "FINISH_SECONDS"}) {
		t.Errorf("%q", problems)
	}
}
