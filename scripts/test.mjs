// npm test: everything that must hold, from formatting to the system tests, in a clean clone and without questions.
// With arguments it hands them to vitest instead: npm test -- test/local -t "front page"
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTally, summarize } from "./count-tests.mjs";
import { runChild } from "./run-child.mjs";
import { ROOT, runMain, setUp } from "./setup.mjs";

await runMain(async () => {
  const startedAt = Date.now();
  const node = setUp("test");
  report("set-up", startedAt);
  const reportDir = mkdtempSync(join(tmpdir(), "backupd-npm-test-"));
  try {
    const { line, exitCode } = summarize(await runSteps(steps(node, reportDir, process.argv.slice(2))));
    console.log(line);
    return exitCode;
  } finally {
    rmSync(reportDir, { recursive: true });
  }
});

function steps(node, reportDir, args) {
  const vitest = join("node_modules", "vitest", "vitest.mjs");
  const into = (name) => join(reportDir, `${name}.json`);
  const reporters = (name) => ["--reporter=default", "--reporter=json", `--outputFile.json=${into(name)}`];
  const run = (name, extra) => ({
    name,
    command: node,
    args: [vitest, "run", ...extra, ...reporters(name)],
    report: into(name),
  });
  if (args.length > 0) return [run("tests", args)];
  return [
    {
      name: "check",
      command: "npm",
      // npm takes the first `--`; the second goes to the end of the script, which is `npm run unit`.
      args: ["run", "-s", "check", "--", "--", ...reporters("check")],
      report: into("check"),
    },
    run("integration", ["--project", "integration"]),
    run("system", ["--project", "system"]),
  ];
}

/** In order, up to the first that fails. */
async function runSteps(list) {
  const results = [];
  for (const { name, command, args, report: path } of list) {
    const startedAt = Date.now();
    const exitCode = await runChild(command, args, { root: ROOT });
    report(name, startedAt);
    results.push({ exitCode, ...readTally(path) });
    if (exitCode !== 0) break;
  }
  return results;
}

function report(name, startedAt) {
  console.log(`${name}: ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
}
