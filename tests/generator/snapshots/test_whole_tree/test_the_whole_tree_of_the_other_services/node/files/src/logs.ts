/** Logs as one JSON object a line on stdout: time, level, msg, service, version, trace_id, and what a line adds. */

import { AsyncLocalStorage } from "node:async_hooks";
import { randomBytes } from "node:crypto";
import { DEFAULTS, LEVELS, type Settings } from "./settings.ts";

type Fields = Readonly<Record<string, unknown>>;

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const traces = new AsyncLocalStorage<string>();
let settings = DEFAULTS;

/** Do `work` as part of `trace`, with all that it waits for. */
export function inTrace<Result>(trace: string, work: () => Result): Result {
  return traces.run(trace, work);
}

/** The trace of the request in hand: 32 hex digits, or nothing outside of one. */
export function traceId(): string {
  return traces.getStore() ?? "";
}

/** The trace that a W3C `traceparent` names, else a new one. */
export function traceOf(traceparent: unknown): string {
  const told = typeof traceparent === "string" ? TRACEPARENT.exec(traceparent) : null;
  return told?.[1] ?? randomBytes(16).toString("hex");
}

/** What logs are written by; `fields` add keys to a line, an Error with its stack. */
export const log = {
  debug: (msg: string, fields?: Fields) => {
    write("DEBUG", msg, fields);
  },
  info: (msg: string, fields?: Fields) => {
    write("INFO", msg, fields);
  },
  warning: (msg: string, fields?: Fields) => {
    write("WARNING", msg, fields);
  },
  error: (msg: string, fields?: Fields) => {
    write("ERROR", msg, fields);
  },
  critical: (msg: string, fields?: Fields) => {
    write("CRITICAL", msg, fields);
  },
};

/** Log from now on as `given` says. */
export function start(given: Settings): void {
  settings = given;
}

/** One line, without its end. */
export function formatted(level: string, msg: string, fields: Fields = {}): string {
  const { service, version } = settings;
  const time = new Date().toISOString().replace("Z", "+00:00");
  const own = { time, level, msg, service, version, trace_id: traceId() };
  try {
    return JSON.stringify({ ...own, ...fields, ...own }, plain); // no field replaces a key
  } catch {
    return JSON.stringify({ ...own, error: "what this line adds cannot be written as JSON" });
  }
}

function write(level: (typeof LEVELS)[number] | "CRITICAL", msg: string, fields?: Fields): void {
  if (level === "CRITICAL" || LEVELS.indexOf(level) >= LEVELS.indexOf(settings.logLevel)) {
    process.stdout.write(`${formatted(level, msg, fields)}\n`);
  }
}

function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) {
    return stackOf(value);
  }
  return typeof value === "bigint" ? String(value) : value;
}

/** An error's stack and its causes'; its other properties are left out: a client's hold requests, and their secrets. */
function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : "";
  return `${error.stack ?? String(error)}${cause}`;
}
