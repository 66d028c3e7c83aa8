/** The process around the loop, and how it stops. */

import { setTimeout as sleep } from "node:timers/promises";
import { collectDefaultMetrics } from "prom-client";
import { handle } from "./app.ts";
import { consume, Pulse } from "./consume.ts";
import { log } from "./logs.ts";
import { listen } from "./probes.ts";
import type { Settings } from "./settings.ts";
import { connect } from "./source.ts";
import { askedToStop } from "./stop.ts";

/**
 * Take messages until SIGTERM or SIGINT, then leave.
 *
 * Leaving: unready at once, no new message, and at most `finishSeconds` for the one in hand. What is not finished by
 * then was not acknowledged: the queue gives it to somebody else.
 */
export async function serve(settings: Settings): Promise<void> {
  collectDefaultMetrics();
  const stop = askedToStop();
  const leaving = new AbortController();
  const pulse = new Pulse();
  await listen(
    settings.host,
    settings.port,
    () => pulse.alive,
    () => pulse.alive && !leaving.signal.aborted,
  );
  const loop = consume(connect(settings), handle, pulse, leaving.signal);
  await stop;
  leaving.abort();
  log.info("leaving", { finish_seconds: settings.finishSeconds });
  await Promise.race([loop, sleep(settings.finishSeconds * 1000)]);
  if (pulse.inHand) {
    log.error("the message in hand was not finished in time");
  }
}
