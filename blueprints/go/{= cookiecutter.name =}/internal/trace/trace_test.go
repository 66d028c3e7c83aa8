package trace

import (
	"regexp"
	"testing"
)

const id = "4bf92f3577b34da6a3ce929d0e0e4736"

func TestATraceThatIsToldIsTakenUp(t *testing.T) {
	ctx := Begin(t.Context(), "00-"+id+"-00f067aa0ba902b7-01")
	if ID(ctx) != id {
		t.Errorf("the trace is %q", ID(ctx))
	}
}

func TestANewTraceBeginsWhereNoneIsTold(t *testing.T) {
	seen := map[string]bool{}
	for _, told := range []string{"", "nonsense", "00-" + none + "-00f067aa0ba902b7-01", "00-" + id + "-00f067aa0ba902b7-01\n"} {
		found := ID(Begin(t.Context(), told))
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(found) || found == none || found == id || seen[found] {
			t.Errorf("%q gives %q", told, found)
		}
		seen[found] = true
	}
}

func TestACallGoesOnInTheTraceWithASpanOfItsOwn(t *testing.T) {
	ctx := Begin(t.Context(), "00-"+id+"-00f067aa0ba902b7-01")
	first, second := Parent(ctx), Parent(ctx)
	if !regexp.MustCompile(`^00-` + id + `-[0-9a-f]{16}-01$`).MatchString(first) {
		t.Errorf("the traceparent is %q", first)
	}
	if first == second {
		t.Errorf("two calls have one span: %q", first)
	}
}

func TestACallOutsideOfATraceBeginsOne(t *testing.T) {
	if ID(t.Context()) != "" {
		t.Errorf("there is a trace: %q", ID(t.Context()))
	}
	if first, second := Parent(t.Context()), Parent(t.Context()); !told.MatchString(first) || first[:35] == second[:35] {
		t.Errorf("the traceparents are %q and %q", first, second)
	}
}
