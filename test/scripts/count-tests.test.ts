// CI believes the last line of npm test: it must never read like success when something failed or nothing ran.
import { describe, expect, it } from "vitest";
import { summarize, tally } from "../../scripts/count-tests.mjs";

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

describe("one report", () => {
  it("counts tests", () => {
    const testResults = [file("passed", "passed"), file("failed", "passed", "failed")];
    expect(tally({ numPassedTests: 2, numFailedTests: 1, testResults })).toEqual({ passed: 2, failed: 1 });
  });

  it("counts a file that could not be loaded", () => {
    expect(tally({ numPassedTests: 0, numFailedTests: 0, testResults: [file("failed")] }).failed).toBe(1);
  });
});

describe("the last line", () => {
  it("adds the runs up", () => {
    const runs = [
      { exitCode: 0, passed: 40, failed: 0 },
      { exitCode: 0, passed: 2, failed: 0 },
    ];
    expect(summarize(runs)).toEqual({ line: "42 passed, 0 failed", exitCode: 0 });
  });

  it("keeps the first failure's exit code", () => {
    const runs = [
      { exitCode: 3, passed: 1, failed: 2 },
      { exitCode: 1, passed: 0, failed: 1 },
    ];
    expect(summarize(runs)).toEqual({ line: "1 passed, 3 failed", exitCode: 3 });
  });

  it("says failed when a step fails before any test", () => {
    expect(summarize([{ exitCode: 2, passed: 0, failed: 0 }])).toEqual({
      line: "0 passed, 1 failed",
      exitCode: 2,
    });
  });

  it("is a failure when nothing ran", () => {
    expect(summarize([{ exitCode: 0, passed: 0, failed: 0 }])).toEqual({
      line: "0 passed, 0 failed",
      exitCode: 1,
    });
  });
});
