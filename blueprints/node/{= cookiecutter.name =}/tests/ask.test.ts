import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Ended, freePort, run, start } from "./running.ts";

/** The address of a server that answers each request with `parts`, a pause before each. */
async function answering(t: TestContext, parts: readonly string[], pause = 0): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined); // who asked has gone
    socket.once("data", () => {
      void (async () => {
        for (const part of parts) {
          await sleep(pause);
          socket.write(part);
        }
        socket.end();
      })();
    });
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
}

function bad({ code, stdout, stderr }: Ended): string {
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /^[^\n]+\n$/);
  return stderr;
}

test("the service is asked here or by its address", async (t) => {
  const service = await start(t);
  const here = `http://127.0.0.1:${service.port}`;
  assert.deepEqual(await run(["ask"], { PORT: String(service.port) }), { code: 0, stdout: "", stderr: "" });
  const proxied = { http_proxy: "http://127.0.0.1:9", NODE_USE_ENV_PROXY: "1" };
  assert.equal((await run(["ask", `${here}/health/ready`], proxied)).code, 0);
  assert.equal(bad(await run(["ask", `${here}/nothing`])), `${here}/nothing: answers 404\n`);
});

for (const status of ["204 No Content", "299 Other"]) {
  test(`${status} is good`, async (t) => {
    assert.equal((await run(["ask", await answering(t, [`HTTP/1.1 ${status}\r\n\r\n`])])).code, 0);
  });
}

for (const status of ["302 Found\r\nLocation: /health", "503 Unavailable", "100 Continue"]) {
  test(`${status.slice(0, 3)} is not good`, async (t) => {
    bad(await run(["ask", await answering(t, [`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`])]));
  });
}

test("two seconds are for the whole answer", async (t) => {
  const url = await answering(t, ["HTTP/1.1 200 OK\r\n", "a: b\r\n", "a: b\r\n", "a: b\r\n"], 1200);
  assert.equal(bad(await run(["ask", url])), `${url}: no answer within 2 s\n`);
});

const NONE = ["nonsense", "https://x/", "http://", "http://x:y/", "http://a b/", "http://[/", "file:///etc/passwd"];
for (const url of NONE) {
  test(`${url} is no address`, async () => {
    assert.equal(bad(await run(["ask", url])), `${url}: is no http:// address\n`);
  });
}

test("who does not listen is told on one line", async () => {
  assert.match(bad(await run(["ask", `http://127.0.0.1:${await freePort()}/health`])), /refused/i);
});

test("other words are refused", async () => {
  const { code, stdout, stderr } = await run(["asc"]);
  assert.deepEqual([code, stdout], [64, ""]);
  assert.match(stderr, /unknown: asc/);
});
