// What Argo CD's notifications make of triggers and templates, by the same two engines: expr for conditions, text/template
// for texts. It reads one case from stdin and writes what would be sent, in JSON.
//
// The order is that of argoproj/notifications-engine v0.5.0: a condition that fails is one that does not hold.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"

	"github.com/expr-lang/expr"
)

type condition struct {
	When    string
	OncePer string
	Send    []string
}

type given struct {
	Trigger   []condition
	Templates map[string]map[string]string
	Vars      map[string]any
}

type sent struct {
	Template string            `json:"template"`
	OncePer  string            `json:"oncePer"`
	Texts    map[string]string `json:"texts"`
}

func main() {
	var asked given
	must(json.NewDecoder(os.Stdin).Decode(&asked))
	found := []sent{}
	for _, each := range asked.Trigger {
		when, err := expr.Compile(each.When)
		must(err)
		oncePer, err := expr.Compile(each.OncePer)
		must(err)
		holds, err := expr.Run(when, asked.Vars)
		if err != nil {
			fmt.Fprintln(os.Stderr, "failed to execute when condition:", err)
			continue
		}
		if holds != true {
			continue
		}
		once, err := expr.Run(oncePer, asked.Vars)
		must(err)
		for _, name := range each.Send {
			texts := map[string]string{}
			for key, text := range asked.Templates[name] {
				texts[key] = rendered(text, asked.Vars)
			}
			found = append(found, sent{name, fmt.Sprintf("%v", once), texts})
		}
	}
	must(json.NewEncoder(os.Stdout).Encode(found))
}

func rendered(text string, vars map[string]any) string {
	parsed, err := template.New("text").Parse(text)
	must(err)
	var said strings.Builder
	must(parsed.Execute(&said, vars))
	return said.String()
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
