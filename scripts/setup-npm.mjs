// Installs the npm packages of the lock file, and notes which lock file it was.
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { SetupError } from "./setup-error.mjs";
import { bundledNodePath, lockHash, stampPath } from "./setup-facts.mjs";

export function installNpmPackages(root, say) {
  say("Installing npm packages (package-lock.json is new or has changed) …");
  const result = npm(root, ["ci"]);
  if (result.failed) throw new SetupError(`npm ci failed:\n${result.output}`);
  checkBundledNode(root);
  writeStamp(root);
}

export function writeStamp(root) {
  writeFileSync(stampPath(root), lockHash(root));
}

function npm(root, command) {
  const { status, error, stdout, stderr } = spawnSync(
    "npm",
    [...command, "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 64 * 1024 * 1024 },
  );
  return { failed: status !== 0, output: `${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`.trim() };
}

/** npm picks the package by CPU and system only; on a system with another C library its Node does not start. */
function checkBundledNode(root) {
  const path = bundledNodePath(root);
  if (!existsSync(path)) {
    if (Number(process.versions.node.split(".")[0]) >= 24) return;
    throw new SetupError(
      "npm brought no Node 24 (were optional packages left out?). Install Node 24 or newer and try again.",
    );
  }
  const { status, stderr } = spawnSync(path, ["--version"], { encoding: "utf8" });
  if (status === 0) return;
  throw new SetupError(`The Node 24 from npm does not run on this system (${path}): ${stderr?.trim() ?? ""}`);
}
