/** The service, started as it runs in its image: a process of its own on a port of this machine. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const MAIN = "../src/main.js";
const PATIENCE = 20_000; // milliseconds; far more than a start or a stop takes

type Variables = Readonly<Record<string, string>>;
export type Line = Readonly<Record<string, unknown>>;

/** What a process of the service came to. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running service. */
export interface Running {
  readonly port: number;
  readonly process: ChildProcess;
  /** The status and the text of one answer. */
  ask(path: string, init?: RequestInit): Promise<[number, string]>;
  /** Send a signal; the exit code, and every log line. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; logs: Line[] }>;
}

/** Run the service, or another program, to its end in an environment of `variables` alone. */
export function run(words: readonly string[], variables: Variables = {}, program = MAIN): Promise<Ended> {
  return launch(program, words, variables).ended;
}

/** Start the service, and wait until it answers or has ended; it ends with the test. */
export async function start(t: TestContext, variables: Variables = {}): Promise<Running> {
  const port = Number(variables["PORT"] ?? (await freePort()));
  const { process, ended } = launch(MAIN, [], { HOST: "127.0.0.1", PORT: String(port), ...variables });
  t.after(() => process.kill("SIGKILL"));
  const ask = async (path: string, init: RequestInit = {}): Promise<[number, string]> => {
    const headers = { connection: "close", ...(init.headers as Record<string, string> | undefined) };
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers, signal });
    return [answer.status, await answer.text()];
  };
  await until(
    () =>
      process.exitCode !== null ||
      ask("/health").then(
        () => true,
        () => false,
      ),
  );
  return {
    port,
    process,
    ask,
    async stop(signal = "SIGTERM") {
      process.kill(signal);
      const { code, stdout } = await ended;
      return { code, logs: lines(stdout) };
    },
  };
}

/** The lines of a log. */
export function lines(stdout: string): Line[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

/** Wait for `holds`; fails when it takes longer than a start or a stop. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() > end) {
      throw new Error("it takes too long");
    }
    await sleep(20);
  }
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Launched {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

function launch(program: string, words: readonly string[], env: Variables): Launched {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { process: child, ended: ended.then(([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr })) };
}
