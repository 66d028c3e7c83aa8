import assert from "node:assert/strict";
import test from "node:test";
import { register } from "prom-client";
import { call, traceparent } from "../src/calls.ts";
import { inTrace, traceOf } from "../src/logs.ts";
import { TRACE } from "./running.ts";

async function counted(dependency: string): Promise<string[]> {
  const lines = (await register.metrics()).split("\n");
  const named = lines.filter((line) => line.includes(`"${dependency}"`) && /_total|_count|\+Inf/.test(line));
  return named.map((line) => line.replace("dependency_request", "")).sort();
}

test("a call is counted and timed, and both results are there from the first", async () => {
  assert.deepEqual(await call("orders", () => counted("orders")), [
    's_total{dependency="orders",result="error"} 0',
    's_total{dependency="orders",result="ok"} 0',
  ]);
  assert.deepEqual(await counted("orders"), [
    '_duration_seconds_bucket{le="+Inf",dependency="orders"} 1',
    '_duration_seconds_count{dependency="orders"} 1',
    's_total{dependency="orders",result="error"} 0',
    's_total{dependency="orders",result="ok"} 1',
  ]);
});

test("a call that fails is an error and says so", async () => {
  await assert.rejects(() => call("ledger", () => Promise.reject(new Error("refused"))), /refused/);
  assert.deepEqual((await counted("ledger")).slice(2), [
    's_total{dependency="ledger",result="error"} 1',
    's_total{dependency="ledger",result="ok"} 0',
  ]);
});

test("a call goes on in the trace in hand, with a span of its own", async () => {
  const [first, second] = await inTrace(TRACE, async () => {
    await Promise.resolve();
    return [traceparent(), traceparent()] as const;
  });
  assert.match(first, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  assert.equal(traceOf(first), TRACE);
  assert.notEqual(first, second);
});

test("a call outside of a trace begins one", () => {
  assert.match(traceparent(), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.notEqual(traceparent().split("-")[1], traceparent().split("-")[1]);
});
