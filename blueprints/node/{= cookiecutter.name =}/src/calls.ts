/** Calls to other services and to stores: their metrics, and the trace that goes with them. */

import { randomBytes } from "node:crypto";
import { Counter, Histogram } from "prom-client";
import { traceId } from "./logs.ts";
import { BUCKETS, secondsSince } from "./metrics.ts";

const REQUESTS = new Counter({
  name: "dependency_requests_total",
  help: "Calls to services and stores.",
  labelNames: ["dependency", "result"],
});
const SECONDS = new Histogram({
  name: "dependency_request_duration_seconds",
  help: "Seconds that such a call took.",
  labelNames: ["dependency"],
  buckets: BUCKETS,
});

/**
 * Count and time `work` as one call to `dependency`; an error that it throws counts as one, and goes on.
 *
 *     const answer = await call("ledger", () => client.get(url, { headers: { traceparent: traceparent() } }));
 *
 * `dependency` is a name such as `calls` in the chart's values has, never an address: each is a time series for ever.
 */
export async function call<Answer>(dependency: string, work: () => Promise<Answer>): Promise<Answer> {
  for (const each of ["ok", "error"]) {
    REQUESTS.inc({ dependency, result: each }, 0); // both are there before the first error: else it is no rise
  }
  let result = "error";
  const began = performance.now();
  try {
    const answer = await work();
    result = "ok";
    return answer;
  } finally {
    REQUESTS.inc({ dependency, result });
    SECONDS.observe({ dependency }, secondsSince(began));
  }
}

/** The W3C `traceparent` of an outgoing call: the trace in hand, or a new one, and a span of the call's own. */
export function traceparent(): string {
  return `00-${traceId() || randomBytes(16).toString("hex")}-${randomBytes(8).toString("hex")}-01`;
}
