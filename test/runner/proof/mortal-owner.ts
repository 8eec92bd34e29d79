// Starts a program with a child of its own, says so, and waits to be killed. Argument: the directory for both.
import { join } from "node:path";
import { startOwned } from "#runner/io/proof/owned-process.ts";

const cwd = process.argv[2] ?? "";
const signal = new AbortController().signal;
const owned = await startOwned("/bin/sh", ["-c", "sleep 300 & sleep 301"], {
  cwd,
  logFile: join(cwd, "log"),
  signal,
});
process.stdout.write("started\n");
await owned.ended;
