/** The server around the application, and how it stops. */

import { setTimeout as sleep } from "node:timers/promises";
import { collectDefaultMetrics } from "prom-client";
import { create } from "./app.ts";
import { log } from "./logs.ts";
import type { Settings } from "./settings.ts";
import { askedToStop } from "./stop.ts";

/**
 * Answer requests until SIGTERM or SIGINT, then leave.
 *
 * Leaving: unready at once, still answering for `drainSeconds`, then no new connection, and at most `finishSeconds` for
 * the requests that have begun.
 */
export async function serve(settings: Settings): Promise<void> {
  collectDefaultMetrics();
  const stop = askedToStop();
  const leaving = new AbortController();
  const app = create(leaving.signal);
  await app.listen({ host: settings.host, port: settings.port });
  await stop;
  leaving.abort();
  log.info("leaving", { drain_seconds: settings.drainSeconds });
  await sleep(settings.drainSeconds * 1000);
  const finished = setTimeout(() => {
    app.server.closeAllConnections();
  }, settings.finishSeconds * 1000);
  await app.close();
  clearTimeout(finished);
}
