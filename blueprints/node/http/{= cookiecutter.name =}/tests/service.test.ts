import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import test from "node:test";
import { lines, run, type Running, start, TRACE, until } from "./running.ts";

function echo(service: Running, body: string, headers: Record<string, string> = {}): Promise<[number, string]> {
  return service.ask("/v1/echo", { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
}

test("it is healthy and ready and measured", async (t) => {
  const service = await start(t);
  assert.deepEqual(await service.ask("/health"), [200, '{"status":"ok"}']);
  assert.deepEqual(await service.ask("/health/ready"), [200, '{"status":"ready"}']);
  assert.equal((await service.ask("/nothing/here"))[0], 404);
  assert.equal((await service.ask("/v1/echo"))[0], 405);
  const [status, metrics] = await service.ask("/metrics");
  assert.equal(status, 200);
  assert.match(metrics, /^http_requests_total{method="GET",route="\/health\/ready",status="200"} 1$/m);
  assert.match(metrics, /^http_requests_total{method="GET",route="unmatched",status="404"} 1$/m);
  assert.match(metrics, /^http_request_duration_seconds_bucket{le="0.075",method="GET",route="\/health\/ready"} 1$/m);
});

test("a request is answered and logged with its trace", async (t) => {
  const service = await start(t, { SERVICE: "echo", VERSION: "abc" });
  const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
  assert.deepEqual(await echo(service, '{"text": "hello"}', { traceparent }), [200, '{"text":"hello"}']);
  const { code, logs } = await service.stop();
  assert.equal(code, 0);
  for (const line of logs) {
    assert.deepEqual(Object.keys(line).slice(0, 6), ["time", "level", "msg", "service", "version", "trace_id"]);
  }
  const [line, ...more] = logs.filter((each) => each["msg"] === "request");
  assert.deepEqual(more, []);
  const { service: name, version, trace_id: trace, method, path, status } = line ?? {};
  assert.deepEqual([name, version, trace, method, path, status], ["echo", "abc", TRACE, "POST", "/v1/echo", 200]);
});

test("a body that is wrong is refused", async (t) => {
  const service = await start(t);
  for (const body of ["nonsense", "", "[]", "{}", '{"text": 5}', JSON.stringify({ text: "x".repeat(1001) })]) {
    assert.equal((await echo(service, body))[0], 422, body);
  }
  assert.equal((await echo(service, JSON.stringify({ text: "é".repeat(1000) })))[0], 200);
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} lets a request finish`, async (t) => {
    const service = await start(t, { DRAIN_SECONDS: "1" });
    const body = '{"text":"slow"}';
    const slow = connect(service.port, "127.0.0.1");
    slow.write("POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n");
    slow.write(`Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    await service.ask("/health"); // the slow request has begun by now
    service.process.kill(signal);
    await until(async () => (await service.ask("/health/ready"))[0] === 503);
    await until(() =>
      service.ask("/health").then(
        () => false,
        () => true,
      ),
    ); // past the drain: no new connection
    slow.write(body.slice(5));
    const answer = await text(slow);
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n[^]*connection: close\r\n/i);
    assert(answer.endsWith(body));
    const { code, logs } = await service.stop();
    assert.equal(code, 0);
    assert.deepEqual(
      logs.map((line) => line["msg"]),
      ["leaving", "request"],
    );
  });
}

test("a connection that was never used does not hold it up", async (t) => {
  const service = await start(t, { FINISH_SECONDS: "60" });
  const unused = connect(service.port, "127.0.0.1");
  t.after(() => unused.destroy());
  await service.ask("/health"); // it has been taken by now
  const asked = performance.now();
  assert.equal((await service.stop()).code, 0);
  assert(performance.now() - asked < 10_000);
});

test("a request that never ends does not hold it up", async (t) => {
  const service = await start(t, { FINISH_SECONDS: "1" });
  const stuck = connect(service.port, "127.0.0.1").on("error", () => undefined);
  stuck.write("POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{");
  await service.ask("/health");
  assert.equal((await service.stop()).code, 0);
});

test("an address that cannot be read is an answer like any other", async (t) => {
  const service = await start(t);
  const broken = connect(service.port, "127.0.0.1");
  broken.write("GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.match(await text(broken), /^HTTP\/1.1 400 [^]*{"detail":/);
  const [, metrics] = await service.ask("/metrics");
  assert.match(metrics, /^http_requests_total{method="GET",route="unmatched",status="400"} 1$/m);
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
