/** A program: a queue that cannot be reached, one message that fails and cannot be given back, and a loop that dies. */

import { consume, Pulse } from "../src/consume.ts";
import { TRACE } from "./running.ts";

const leaving = new AbortController();
const fail = (): Promise<never> => Promise.reject(new Error("the queue has gone"));
const properties = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
let taken = 0;

await consume(
  {
    async take() {
      taken += 1;
      if (taken === 1) {
        return fail();
      }
      if (taken > 2) {
        leaving.abort();
        return undefined;
      }
      return Promise.resolve({ body: Buffer.from(""), properties, ack: fail, nack: fail });
    },
    close: fail,
  },
  () => Promise.resolve(),
  new Pulse(),
  leaving.signal,
  0.01,
);
