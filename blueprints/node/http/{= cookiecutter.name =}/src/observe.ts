/** Each request: its trace, its log line, its metrics, and what it is answered where something is wrong. */

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from "fastify";
import { Counter, Histogram } from "prom-client";
import { inTrace, log } from "./logs.ts";
import { BUCKETS } from "./metrics.ts";

const REQUESTS = new Counter({
  name: "http_requests_total",
  help: "Requests answered.",
  labelNames: ["method", "route", "status"],
});
const SECONDS = new Histogram({
  name: "http_request_duration_seconds",
  help: "Seconds from a request to its answer.",
  labelNames: ["method", "route"],
  buckets: BUCKETS,
});

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const UNLOGGED = new Set(["/health", "/health/ready", "/metrics"]); // asked every few seconds
const WRONG_BODY = new Set(["FST_ERR_VALIDATION", "FST_ERR_CTP_INVALID_JSON_BODY", "FST_ERR_CTP_EMPTY_JSON_BODY"]);

/** The methods that each route takes, by its template. */
type Routes = Map<string, Set<string>>;

/**
 * Have every request of `app` traced, logged and counted; while `leaving`, callers are told to connect elsewhere.
 *
 * Gives the routes that `app` has from then on.
 */
export function observe(app: FastifyInstance, leaving: AbortSignal): Routes {
  const routes: Routes = new Map();
  app.addHook("onRoute", ({ url, method }) => {
    routes.set(url, new Set([...(routes.get(url) ?? []), ...[method].flat()]));
  });
  // The trace is the request's id. Reading a body leaves it, so it is taken up again behind that.
  app.addHook("onRequest", enterTrace);
  app.addHook("preValidation", enterTrace);
  app.addHook("onSend", (_request, reply, _payload, done) => {
    if (leaving.aborted) {
      reply.header("connection", "close");
    }
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    inTrace(request.id, () => {
      note(request, reply, reply.elapsedTime / 1000);
    });
    done();
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ detail: "Not Found" }));
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = WRONG_BODY.has(error.code) ? 422 : (error.statusCode ?? 500);
    if (status < 500) {
      return reply.code(status).send({ detail: error.message });
    }
    inTrace(request.id, () => {
      log.error("request failed", { error });
    });
    return reply.code(status).send({ detail: "Internal Server Error" }); // why, is nobody's business but ours
  });
  return routes;
}

/** Have what `routes` do not take answered 405, with what they do; by itself Fastify would answer 404. */
export function refuseOtherMethods(app: FastifyInstance, routes: Routes): void {
  for (const [url, taken] of [...routes]) {
    const method = app.supportedMethods.filter((each) => !taken.has(each));
    const refused = (_: FastifyRequest, reply: FastifyReply): void => {
      reply
        .code(405)
        .header("allow", [...taken].join(", "))
        .send({ detail: "Method Not Allowed" });
    };
    app.route({ url, method, onRequest: refused, handler: refused }); // in the hook, before any body is read
  }
}

/** Answer a request whose address cannot be read; the hooks of `observe` never see it. */
export function refuse(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  reply
    .code(error.statusCode ?? 500)
    .header("connection", "close")
    .send({ detail: error.message });
  inTrace(request.id, () => {
    note(request, reply, 0);
  });
}

function enterTrace(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  inTrace(request.id, done);
}

function note(request: FastifyRequest, reply: FastifyReply, seconds: number): void {
  // the route's template, never the path itself: each label value is a time series for ever
  const route = request.routeOptions.url ?? "unmatched";
  const method = METHODS.has(request.method) ? request.method : "other";
  const status = reply.statusCode;
  REQUESTS.inc({ method, route, status });
  SECONDS.observe({ method, route }, seconds);
  if (!UNLOGGED.has(route)) {
    const path = request.url.replace(/\?.*/, ""); // a query may hold secrets
    log.info("request", { method, path, status, seconds: Number(seconds.toFixed(4)) });
  }
}
