/** Where messages come from. A sample: put the client of the service's queue in its place. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Settings } from "./settings.ts";

/** A message that was taken: it stays with the queue until it is acknowledged. */
export interface Message {
  /** What it says. */
  readonly body: Uint8Array;
  /** What stands beside it; `traceparent` among it is the trace that it belongs to. */
  readonly properties: Readonly<Record<string, string>>;
  /** It is done: the queue may forget it. */
  ack(): Promise<void>;
  /** It is not done: the queue may give it again. One that never succeeds is the queue's business to set aside. */
  nack(): Promise<void>;
}

/** A queue. It is asked for one message at a time; what it throws is logged, and it is asked again a little later. */
export interface Source {
  /** The next message, or undefined where there is none within so many seconds. */
  take(seconds: number): Promise<Message | undefined>;
  /** No more is taken: let the queue know. */
  close(): Promise<void>;
}

/** The source of this service's messages. It connects when it is first asked, so that a queue may come later. */
export function connect(_settings: Settings): Source {
  return everySecond();
}

/** A queue that has one message a second. */
function everySecond(): Source {
  const done = (): Promise<void> => Promise.resolve();
  return {
    async take(seconds) {
      await sleep(Math.min(seconds, 1) * 1000);
      return { body: Buffer.from("hello"), properties: {}, ack: done, nack: done };
    },
    close: done,
  };
}
