import assert from "node:assert/strict";
import test from "node:test";
import { register } from "prom-client";
import { consume, Pulse } from "../src/consume.ts";
import { traceId } from "../src/logs.ts";
import type { Message, Source } from "../src/source.ts";
import { lines, run, TRACE } from "./running.ts";

/** A message that notes what became of it. */
class Noted implements Message {
  readonly body = Buffer.from("");
  readonly properties: Message["properties"];
  readonly became: string[] = [];

  constructor(properties: Message["properties"] = {}) {
    this.properties = properties;
  }

  ack(): Promise<void> {
    return this.#note("ack");
  }

  nack(): Promise<void> {
    return this.#note("nack");
  }

  #note(what: string): Promise<void> {
    if ("broken" in this.properties) {
      return Promise.reject(new Error("the queue has gone"));
    }
    this.became.push(what);
    return Promise.resolve();
  }
}

/** Have the loop take these messages, or mistakes, from a queue that then ends the work; whether it was closed. */
async function taking(
  handle: (message: Message) => Promise<void>,
  items: readonly (Message | Error)[],
  pulse = new Pulse(),
): Promise<boolean> {
  const leaving = new AbortController();
  const left = [...items];
  let closed = false;
  const source: Source = {
    take() {
      const item = left.shift();
      if (item === undefined) {
        leaving.abort();
      }
      return item instanceof Error ? Promise.reject(item) : Promise.resolve(item);
    },
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
  await consume(source, handle, pulse, leaving.signal, 0.01);
  return closed;
}

async function counted(sample: string): Promise<number> {
  const line = (await register.metrics()).split("\n").find((each) => each.startsWith(`${sample} `));
  return Number(line?.split(" ")[1]);
}

const nothing = (): Promise<void> => Promise.resolve();

test("a message is handled, in its trace, and acknowledged", async () => {
  const before = [await counted('messages_total{result="ok"}'), await counted("message_duration_seconds_count")];
  const message = new Noted({ traceparent: `00-${TRACE}-00f067aa0ba902b7-01` });
  const seen: string[] = [];
  const closed = await taking(async () => {
    assert.equal(await counted("messages_in_progress"), 1);
    seen.push(traceId());
  }, [message]);
  assert.deepEqual([seen, message.became, closed], [[TRACE], ["ack"], true]);
  assert.equal(await counted("messages_in_progress"), 0);
  const after = [await counted('messages_total{result="ok"}'), await counted("message_duration_seconds_count")];
  assert.deepEqual(
    after,
    before.map((each) => each + 1),
  );
});

test("a message that fails is given back, and the next one is taken", async () => {
  const before = await counted('messages_total{result="error"}');
  const [bad, good] = [new Noted(), new Noted()];
  await taking((message) => (message === bad ? Promise.reject(new Error("no such account")) : nothing()), [bad, good]);
  assert.deepEqual([bad.became, good.became], [["nack"], ["ack"]]);
  assert.equal(await counted('messages_total{result="error"}'), before + 1);
  assert.equal(await counted("messages_in_progress"), 0);
});

test("a queue that fails is no reason to end", async () => {
  const pulse = new Pulse();
  const message = new Noted();
  await taking(nothing, [new Error("no route"), new Noted({ broken: "yes" }), message], pulse);
  assert.deepEqual([message.became, pulse.alive], [["ack"], true]);
});

test("what fails is told with its trace", async () => {
  const { stdout } = await run([], {}, "./failing.js");
  const told = lines(stdout).map((line) => [line["level"], line["msg"], line["trace_id"] === TRACE]);
  assert.deepEqual(told, [
    ["ERROR", "no message could be taken", false],
    ["ERROR", "message failed", true],
    ["ERROR", "a message could not be given back", true],
    ["INFO", "message", true],
    ["CRITICAL", "no more messages are taken", false],
  ]);
});

test("no message is begun after the end", async () => {
  const leaving = new AbortController();
  const message = new Noted();
  const take = (): Promise<Message> => {
    leaving.abort(); // while the queue is being asked
    return Promise.resolve(message);
  };
  await consume({ take, close: nothing }, () => Promise.reject(new Error("begun")), new Pulse(), leaving.signal);
  assert.deepEqual(message.became, ["nack"]);
});

test("the loop hangs when nothing is looked for, unless a message is in hand", () => {
  let now = 0;
  const pulse = new Pulse(() => now);
  now = 60_000;
  assert(pulse.alive);
  now = 60_001;
  assert(!pulse.alive);
  pulse.beat(true);
  now = 9_999_999;
  assert(pulse.alive);
  pulse.beat(false);
  assert(pulse.alive);
  pulse.stop();
  assert(!pulse.alive);
});
