/** The HTTP interface. */

import fastify, { type FastifyInstance } from "fastify";
import { register } from "prom-client";
import { traceOf } from "./logs.ts";
import { observe, refuse, refuseOtherMethods } from "./observe.ts";

/** What the sample endpoint takes and gives back. */
interface Note {
  readonly text: string;
}

const NOTE = {
  type: "object",
  required: ["text"],
  properties: { text: { type: "string", maxLength: 1000 } },
};

/** The application; `leaving` is aborted when the process has been asked to stop. */
export function create(leaving: AbortSignal): FastifyInstance {
  const app = fastify({
    genReqId: (request) => traceOf(request.headers["traceparent"]),
    ajv: { customOptions: { coerceTypes: false } }, // a number is no text
    requestTimeout: 120_000, // milliseconds for a request to arrive
    return503OnClosing: false, // what has come is answered
    frameworkErrors: refuse,
  });
  const routes = observe(app, leaving);

  /** Alive. It asks nobody else: a failure here restarts the container. */
  app.get("/health", () => ({ status: "ok" }));

  /** Whether requests should come here. */
  app.get("/health/ready", (_, reply) =>
    leaving.aborted ? reply.code(503).send({ status: "leaving" }) : { status: "ready" },
  );

  app.get("/metrics", async (_, reply) => reply.type(register.contentType).send(await register.metrics()));

  // A sample: put the service's own endpoints in its place.
  app.post<{ Body: Note }>("/v1/echo", { schema: { body: NOTE } }, (request) => {
    const { text } = request.body;
    return { text };
  });

  refuseOtherMethods(app, routes); // of all that is above
  return app;
}
