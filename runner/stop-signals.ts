// SIGTERM and Ctrl-C: the first gives the running job back and cleans up, the second ends at once. A service
// manager waits only so long, so cleaning up that hangs is cut short: the next start finishes it. A command that somebody
// typed is not cut short: who does not want to wait for a site to be whole again has the second Ctrl-C.
import { BackupError } from "#shared/errors.ts";
import type { Log } from "./io/log.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
const PATIENCE_MS = 9_000;
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Aborts with `interrupted` at the first signal. `isCutShort`: the process ends soon after it in any case. */
export function stopOnSignals(getLog: () => Log, { isCutShort }: { isCutShort: boolean }): AbortSignal {
  const controller = new AbortController();
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(EXIT_CODES[signal]);
      getLog().info("stop.requested", { signal });
      if (isCutShort) {
        setTimeout(() => {
          getLog().warn("stop.forced", { after_seconds: PATIENCE_MS / 1000 });
          process.exit(EXIT_CODES[signal]);
        }, PATIENCE_MS).unref();
      }
      controller.abort(new BackupError("interrupted", { detail: `backupd was stopped by ${signal}` }));
    });
  }
  return controller.signal;
}
