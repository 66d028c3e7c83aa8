import assert from "node:assert/strict";
import test from "node:test";
import { formatted, inTrace, start, traceOf } from "../src/logs.ts";
import { DEFAULTS } from "../src/settings.ts";
import { type Line, TRACE } from "./running.ts";

function parsed(msg: string, fields: Record<string, unknown> = {}): Line {
  return JSON.parse(formatted("INFO", msg, fields)) as Line;
}

test("no field replaces a key of the schema", () => {
  start({ ...DEFAULTS, service: "echo", version: "abc" });
  const line = inTrace(TRACE, () => parsed("said", { level: "LOUD", more: 1n }));
  assert.deepEqual(Object.keys(line), ["time", "level", "msg", "service", "version", "trace_id", "more"]);
  assert.match(String(line["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
  assert.deepEqual(Object.values(line).slice(1), ["INFO", "said", "echo", "abc", TRACE, "1"]);
});

test("an error is told with its cause, and without what else it holds", () => {
  const error = Object.assign(new Error("no answer", { cause: new TypeError("refused") }), { password: "hunter2" });
  const told = String(parsed("failed", { error })["error"]);
  assert.match(told, /^Error: no answer\n +at [^]*\ncaused by TypeError: refused\n/);
  assert.doesNotMatch(told, /hunter2/);
});

test("what cannot be written is no reason to write nothing", () => {
  const around: Record<string, unknown> = {};
  around["around"] = around;
  assert.equal(parsed("said", { around })["msg"], "said");
});

test("a trace is taken up from a traceparent, else begun", () => {
  assert.equal(traceOf(`00-${TRACE}-00f067aa0ba902b7-01`), TRACE);
  const span = "00f067aa0ba902b7-01";
  for (const wrong of [undefined, "", "nonsense", `00-${"0".repeat(32)}-${span}`, `00-${TRACE}-${span}\n`]) {
    assert.match(traceOf(wrong), /^(?!0{32})[0-9a-f]{32}$/);
    assert.notEqual(traceOf(wrong), TRACE);
  }
});
