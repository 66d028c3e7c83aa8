/** The loop that takes messages. Each message: its trace, its log line, its metrics. */

import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { Counter, Gauge, Histogram } from "prom-client";
import { inTrace, log, traceOf } from "./logs.ts";
import { BUCKETS, secondsSince } from "./metrics.ts";
import type { Message, Source } from "./source.ts";

const MESSAGES = new Counter({ name: "messages_total", help: "Messages handled.", labelNames: ["result"] });
const SECONDS = new Histogram({
  name: "message_duration_seconds",
  help: "Seconds that a message took.",
  buckets: BUCKETS,
});
const IN_PROGRESS = new Gauge({ name: "messages_in_progress", help: "Messages in hand." });
for (const result of ["ok", "error"]) {
  MESSAGES.inc({ result }, 0); // from the start: a first error that comes with its series is no rise
}

/** How long one look for a message may last, and so how late the end of the work may be noticed. */
const TAKE_SECONDS = 1;
/** How long the loop waits where the source has failed. */
const PAUSE_SECONDS = 5;
/** Where nothing was looked for in so many seconds, and nothing is in hand, the loop hangs. */
const HANG_SECONDS = 60;

/** The loop's sign of life, which probes read. */
export class Pulse {
  readonly #clock: () => number;
  #last: number;
  #inHand = false;
  #dead = false;

  /** `clock` tells milliseconds. */
  constructor(clock = () => performance.now()) {
    this.#clock = clock;
    this.#last = clock();
  }

  /** The loop is here, with or without a message in hand. */
  beat(inHand: boolean): void {
    this.#last = this.#clock();
    this.#inHand = inHand;
  }

  /** The loop has ended, and was not asked to. */
  stop(): void {
    this.#dead = true;
  }

  get inHand(): boolean {
    return this.#inHand;
  }

  /** Whether the loop runs; how long a message in hand takes, is the message's business. */
  get alive(): boolean {
    return !this.#dead && (this.#inHand || this.#clock() - this.#last <= HANG_SECONDS * 1000);
  }
}

/** Take messages and handle them, one after the other, until `leaving`; none is begun after that. */
export async function consume(
  source: Source,
  handle: (message: Message) => Promise<void>,
  pulse: Pulse,
  leaving: AbortSignal,
  pauseSeconds = PAUSE_SECONDS,
): Promise<void> {
  try {
    while (!leaving.aborted) {
      pulse.beat(false);
      const message = await taken(source, leaving, pauseSeconds);
      if (message !== undefined) {
        pulse.beat(true);
        await handled(message, handle);
        pulse.beat(false);
      }
      await turn(); // signals and probes come in between, even where a source has all its messages in memory
    }
    await source.close();
  } catch (error) {
    pulse.stop(); // the process goes on, and its probe tells
    log.critical("no more messages are taken", { error });
  }
}

/** What `source` has; a queue that cannot be reached is no reason to end, nor one for its probe to fail. */
async function taken(source: Source, leaving: AbortSignal, pauseSeconds: number): Promise<Message | undefined> {
  let message: Message | undefined;
  try {
    message = await source.take(TAKE_SECONDS);
  } catch (error) {
    log.error("no message could be taken", { error });
    await sleep(pauseSeconds * 1000, undefined, { signal: leaving }).catch(() => undefined);
  }
  if (message !== undefined && leaving.aborted) {
    await giveBack(message);
    return undefined;
  }
  return message;
}

function handled(message: Message, handle: (message: Message) => Promise<void>): Promise<void> {
  return inTrace(traceOf(message.properties["traceparent"]), async () => {
    let result = "error";
    const began = performance.now();
    IN_PROGRESS.inc();
    try {
      await handle(message);
      await message.ack();
      result = "ok";
    } catch (error) {
      log.error("message failed", { error });
    }
    IN_PROGRESS.dec();
    if (result === "error") {
      await giveBack(message);
    }
    const seconds = secondsSince(began);
    MESSAGES.inc({ result });
    SECONDS.observe(seconds);
    log.info("message", { result, seconds: Number(seconds.toFixed(4)) });
  });
}

async function giveBack(message: Message): Promise<void> {
  try {
    await message.nack();
  } catch (error) {
    log.error("a message could not be given back", { error }); // the queue gives it again, when it hears no more of it
  }
}
