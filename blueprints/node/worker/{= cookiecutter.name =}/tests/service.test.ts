import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import test from "node:test";
import { lines, run, start, until } from "./running.ts";

test("it is healthy and ready and measured", async (t) => {
  const service = await start(t);
  const [status, metrics] = await service.ask("/metrics");
  assert.equal(status, 200);
  for (const sample of [
    'messages_total{result="ok"} 0',
    'messages_total{result="error"} 0',
    "message_duration_seconds_count 0",
    'message_duration_seconds_bucket{le="0.075"} 0',
    "messages_in_progress 0",
  ]) {
    assert(metrics.includes(`\n${sample}\n`), sample);
  }
  assert.deepEqual(await service.ask("/health"), [200, '{"status":"ok"}']);
  assert.deepEqual(await service.ask("/health/ready?now"), [200, '{"status":"ready"}']);
  assert.deepEqual(await service.ask("/nothing/here"), [404, '{"status":"not found"}']);
});

test("messages are counted and logged", async (t) => {
  const service = await start(t, { SERVICE: "echo", VERSION: "abc" });
  await until(async () => !(await service.ask("/metrics"))[1].includes('messages_total{result="ok"} 0'));
  const { code, logs } = await service.stop();
  assert.equal(code, 0);
  for (const line of logs) {
    assert.deepEqual(Object.keys(line).slice(0, 6), ["time", "level", "msg", "service", "version", "trace_id"]);
  }
  const first = logs.find((line) => line["msg"] === "message");
  assert.deepEqual([first?.["service"], first?.["version"], first?.["result"]], ["echo", "abc", "ok"]);
  assert.match(String(first?.["trace_id"]), /^[0-9a-f]{32}$/);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} ends it in order`, async (t) => {
    const service = await start(t, { DRAIN_SECONDS: "not read" });
    const { code, logs } = await service.stop(signal);
    assert.equal(code, 0);
    assert.equal(logs.filter((line) => line["msg"] === "leaving").length, 1);
  });
}

test("who breaks off a request leaves no trace", async (t) => {
  const service = await start(t);
  const broken = connect(service.port, "127.0.0.1").end("nonsense\r\n\r\n").resume();
  await once(broken, "close");
  assert.equal((await service.ask("/health"))[0], 200);
  const { code, logs } = await service.stop();
  assert.equal(code, 0);
  assert.deepEqual(new Set(logs.map((line) => line["level"])), new Set(["INFO"]));
});

test("wrong settings end it with a log line each", async (t) => {
  const { code, logs } = await (await start(t, { PORT: "http", LOG_LEVEL: "loud" })).stop();
  assert.equal(code, 78);
  assert.deepEqual(
    logs.map((line) => line["level"]),
    ["CRITICAL", "CRITICAL"],
  );
});

test("a port that is taken ends it with a log line", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await once(taken, "listening");
  const { code, stdout } = await run([], { HOST: "127.0.0.1", PORT: String((taken.address() as AddressInfo).port) });
  assert.equal(code, 1);
  assert.deepEqual(
    lines(stdout).map((line) => line["msg"]),
    ["cannot go on"],
  );
});
