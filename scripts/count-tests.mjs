// Adds up what several vitest runs reported, so that npm test ends in one line that people and CI read alike.
import { existsSync, readFileSync } from "node:fs";

/** Counts of one vitest JSON report; zeros when the run ended before vitest wrote one. */
export function readTally(path) {
  return existsSync(path) ? tally(JSON.parse(readFileSync(path, "utf8"))) : { passed: 0, failed: 0 };
}

/** A file that could not even be loaded has no failed test in it, and still is a failure. */
export function tally(report) {
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

/** The last line and the exit code of npm test: the first failure's own, and 1 when nothing was tested at all. */
export function summarize(results) {
  const total = (field) => results.reduce((sum, result) => sum + result[field], 0);
  const exitCode = results.find((result) => result.exitCode !== 0)?.exitCode ?? 0;
  const passed = total("passed");
  // A step can fail without a failed test (a lint error, a crash); the line must not read like success then.
  const failed = exitCode === 0 ? total("failed") : Math.max(1, total("failed"));
  const ranNothing = passed + failed === 0;
  return {
    line: `${passed} passed, ${failed} failed`,
    exitCode: exitCode || (failed > 0 || ranNothing ? 1 : 0),
  };
}
