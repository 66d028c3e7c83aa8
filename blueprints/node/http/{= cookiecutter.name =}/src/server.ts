/** The server around the application, and how it stops. */

import type { Socket } from "node:net";
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
  const sockets = new Set<Socket>();
  app.server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await app.listen({ host: settings.host, port: settings.port });
  await stop;
  leaving.abort();
  log.info("leaving", { drain_seconds: settings.drainSeconds });
  await sleep(settings.drainSeconds * 1000);
  const finished = setTimeout(() => {
    app.server.closeAllConnections();
  }, settings.finishSeconds * 1000);
  const closed = app.close();
  for (const socket of sockets) {
    if (socket.bytesRead === 0) {
      socket.destroy(); // nothing was ever asked on it, and yet the server would wait for it
    }
  }
  await closed;
  clearTimeout(finished);
}
