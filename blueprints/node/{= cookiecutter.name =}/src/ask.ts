/**
 * `node main.js ask [URL]`: whether a URL answers 2xx within two seconds; without one, this container's /health.
 *
 * For the image's HEALTHCHECK and the chart's `helm test`, as the image has no curl. Exit code 0, or 1 and a line on
 * stderr.
 */

import { get } from "node:http";
import { DEFAULTS } from "./settings.ts";

/** For the whole of it: name, connection and answer. */
const SECONDS = 2;

/** Ask; gives the exit code. */
export async function ask(words: readonly string[]): Promise<number> {
  const url = words[0] ?? `http://127.0.0.1:${process.env["PORT"]?.trim() || DEFAULTS.port}/health`;
  const problem = await wrong(url);
  if (problem !== "") {
    console.error(`${url}: ${problem}`);
  }
  return problem === "" ? 0 : 1;
}

/** What is wrong with the answer of `url`; nothing when it is 2xx. No proxy is asked, no redirection followed. */
async function wrong(url: string): Promise<string> {
  if (!url.startsWith("http://") || !URL.canParse(url)) {
    return "is no http:// address";
  }
  const limit = AbortSignal.timeout(SECONDS * 1000);
  try {
    const status = await statusOf(url, limit);
    return 200 <= status && status < 300 ? "" : `answers ${status}`;
  } catch (error) {
    return limit.aborted ? `no answer within ${SECONDS} s` : String(error).replace(/\s+/g, " ");
  }
}

function statusOf(url: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false, signal }, (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    }).on("error", reject);
  });
}
