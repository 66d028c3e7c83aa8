/** `node main.js`: runs the service until SIGTERM; `node main.js ask [URL]`: see ask.ts. */

import { ask } from "./ask.ts";
import { log, start } from "./logs.ts";
import { serve } from "./server.ts";
import { DEFAULTS, read, type Settings, WrongSettings } from "./settings.ts";

/** Exit codes for wrong arguments and for a wrong environment: EX_USAGE and EX_CONFIG of sysexits.h. */
const WRONG_USAGE = 64;
const WRONG_SETTINGS = 78;

/** Run the service, or ask one; gives the exit code. */
async function main([command, ...rest]: readonly string[]): Promise<number> {
  if (command === "ask") {
    return ask(rest);
  }
  if (command !== undefined) {
    console.error(`unknown: ${command}; the service takes no arguments, or: ask [URL]`);
    return WRONG_USAGE;
  }
  let settings: Settings;
  try {
    settings = read(process.env);
  } catch (error) {
    if (!(error instanceof WrongSettings)) {
      throw error;
    }
    start(DEFAULTS);
    error.problems.forEach((each) => {
      log.critical(each);
    });
    return WRONG_SETTINGS;
  }
  start(settings);
  await serve(settings);
  return 0;
}

process.on("uncaughtException", (error) => {
  log.critical("cannot go on", { error }); // the last words are a log line too
  process.exit(1);
});
process.exit(await main(process.argv.slice(2)));
