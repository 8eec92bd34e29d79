// Runs the real program as a child with our terminal, and is invisible around it: signals in, exit code out.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, join } from "node:path";

/** Resolves with the exit code; 128 + n when signal n ended it, as shells do. */
export function runChild(command, args, { root }) {
  const { promise, resolve, reject } = defer();
  // Whatever it starts by name (node, vitest) must be the checkout's own, also when npm did not start us.
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const child = spawn(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, PATH: path } });
  const forward = (signal) => {
    // A Ctrl-C reaches the whole foreground group by itself; sent again it would look like impatience.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  child.once("error", reject);
  child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  return promise.finally(() => {
    for (const signal of signals) process.off(signal, forward);
  });
}

/** Promise.withResolvers, which Node 20 does not have. */
function defer() {
  const deferred = {};
  deferred.promise = new Promise((resolve, reject) => Object.assign(deferred, { resolve, reject }));
  return deferred;
}
