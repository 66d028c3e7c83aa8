import assert from "node:assert/strict";
import test from "node:test";
import { DEFAULTS, read, WrongSettings } from "../src/settings.ts";

/** The variables that are found wrong. */
function wrong(environment: Record<string, string>): string[] {
  try {
    read(environment);
  } catch (error) {
    assert(error instanceof WrongSettings);
    return error.problems.map((each) => each.split(":")[0] ?? "");
  }
  return [];
}

test("an empty environment gives the defaults", () => {
  assert.deepEqual(read({}), DEFAULTS);
});

test("the environment decides", () => {
  const given = read({ PORT: "9000", LOG_LEVEL: "debug", FINISH_SECONDS: " 2.5 ", VERSION: "abc" });
  assert.deepEqual([given.port, given.logLevel, given.finishSeconds, given.version], [9000, "DEBUG", 2.5, "abc"]);
  assert.equal(read({ DRAIN_SECONDS: "2.5" }).drainSeconds, 2.5);
});

for (const port of ["0", "65536", "80.5", "http", "nan", "Infinity", "0x50", "1-2"]) {
  test(`${port} is no port`, () => {
    assert.deepEqual(wrong({ PORT: port }), ["PORT"]);
  });
}

test("all mistakes are told together", () => {
  const told = wrong({ PORT: "x", LOG_LEVEL: "loud", FINISH_SECONDS: "-1" });
  assert.deepEqual(told, ["PORT", "LOG_LEVEL", "FINISH_SECONDS"]);
});
