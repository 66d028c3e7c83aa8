import assert from "node:assert/strict";
import test from "node:test";
import { lines, run } from "./running.ts";

test("a request that fails is logged with its trace, and the caller is not told why", async () => {
  const { stdout } = await run([], {}, "./broken.js");
  const [failed, request, told] = lines(stdout);
  assert(failed && request && told);
  assert.deepEqual([failed["level"], failed["msg"]], ["ERROR", "request failed"]);
  assert.match(String(failed["error"]), /^Error: no answer\n/);
  assert.match(String(failed["trace_id"]), /^[0-9a-f]{32}$/);
  assert.equal(request["trace_id"], failed["trace_id"]);
  assert.deepEqual([request["path"], request["status"]], ["/broken/7", 500]);
  assert.deepEqual(told["answer"], [500, '{"detail":"Internal Server Error"}']);
  assert.match(String(told["metrics"]), /^http_requests_total{method="POST",route="\/broken\/:id",status="500"} 1$/m);
});
