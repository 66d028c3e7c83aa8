/** What probes and Prometheus are answered: /health, /health/ready and /metrics. */

import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { register } from "prom-client";
import { log } from "./logs.ts";

/** For a request to arrive, in milliseconds. */
const PATIENCE = 5000;

/** Answer as long as the process lives; rejects where the port cannot be had. */
export async function listen(host: string, port: number, healthy: () => boolean, ready: () => boolean): Promise<void> {
  const server = createServer({ headersTimeout: PATIENCE, requestTimeout: PATIENCE }, (request, response) => {
    switch (request.url?.split("?")[0]) {
      case "/health":
        say(response, healthy() ? 200 : 503, healthy() ? "ok" : "stuck");
        break;
      case "/health/ready":
        say(response, ready() ? 200 : 503, ready() ? "ready" : healthy() ? "leaving" : "stuck");
        break;
      case "/metrics":
        measure(response).catch((error: unknown) => {
          log.error("request failed", { error });
          response.destroy();
        });
        break;
      default:
        say(response, 404, "not found");
    }
  });
  server.listen(port, host);
  await once(server, "listening");
}

async function measure(response: ServerResponse): Promise<void> {
  const text = await register.metrics();
  send(response, 200, register.contentType, text);
}

function say(response: ServerResponse, code: number, status: string): void {
  send(response, code, "application/json", JSON.stringify({ status }));
}

function send(response: ServerResponse, code: number, type: string, body: string): void {
  response.writeHead(code, { "content-type": type, "content-length": Buffer.byteLength(body) }).end(body);
}
