/** What the service is told from outside: environment variables, read once. */

import { inspect } from "node:util";

export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;
type Level = (typeof LEVELS)[number];

/** All settings; times are in seconds. */
export interface Settings {
  readonly service: string;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly logLevel: Level;
  readonly drainSeconds: number;
  readonly finishSeconds: number;
}

/** What holds when the environment is silent. */
export const DEFAULTS: Settings = {
  service: "wallet",
  version: "unknown",
  host: "0.0.0.0",
  port: 8080,
  logLevel: "INFO",
  drainSeconds: 0,
  finishSeconds: 30,
};

/** The environment says something that cannot be; `problems` names every variable concerned. */
export class WrongSettings extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

/** The settings that `environment` gives; throws WrongSettings with all that is wrong in it. */
export function read(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];

  function number(name: string, otherwise: number, least: number, most: number): number {
    const text = environment[name]?.trim() ?? "";
    const value = text === "" ? otherwise : /^[-+.\d]+$/.test(text) ? Number(text) : NaN;
    if (!(least <= value && value <= most)) {
      problems.push(`${name}: must be a number from ${least} to ${most}, not ${inspect(text)}`);
    }
    return value;
  }

  const port = number("PORT", DEFAULTS.port, 1, 65535);
  if (Number.isFinite(port) && !Number.isInteger(port)) {
    problems.push(`PORT: must be a whole number, not ${port}`);
  }
  const told = environment["LOG_LEVEL"]?.toUpperCase() || DEFAULTS.logLevel;
  const logLevel = LEVELS.find((each) => each === told);
  if (logLevel === undefined) {
    problems.push(`LOG_LEVEL: must be one of ${LEVELS.join(", ")}, not ${inspect(told)}`);
  }
  const drainSeconds = number("DRAIN_SECONDS", DEFAULTS.drainSeconds, 0, 3600);
  const finishSeconds = number("FINISH_SECONDS", DEFAULTS.finishSeconds, 0, 3600);
  if (logLevel === undefined || problems.length > 0) {
    throw new WrongSettings(problems);
  }
  return {
    service: environment["SERVICE"] || DEFAULTS.service,
    version: environment["VERSION"] || DEFAULTS.version,
    host: environment["HOST"] || DEFAULTS.host,
    port,
    logLevel,
    drainSeconds,
    finishSeconds,
  };
}
