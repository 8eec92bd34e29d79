// Looks at the machine for setup-plan.mjs: quickly, since every npm start and npm test begins with it.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installedMatchesLock, missingPackages, PACKAGES } from "./setup-plan.mjs";

/** Inside node_modules, so that whatever removes node_modules removes the stamp. */
export const stampPath = (root) => join(root, "node_modules", ".backupd-lock-sha256");
export const bundledNodePath = (root) => join(root, "node_modules", ".bin", "node");
export const lockHash = (root) =>
  createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");

export function readFacts(root, profile) {
  const platform = `${process.platform}-${process.arch}`;
  const missing = missingPackages(profile, look());
  const isRoot = process.getuid?.() === 0;
  return {
    platform,
    nodeModules: nodeModulesState(root),
    bundledNodeExists: existsSync(bundledNodePath(root)),
    bundledNodeExpected: npmHasNodeFor(root, platform),
    nodeMajor: Number(process.versions.node.split(".")[0]),
    missing,
    hasApt: hasCommand("apt-get"),
    hasAptLists: aptListsExist(),
    hasMysqlServer: hasCommand("mysqld") && !hasCommand("mariadbd"),
    isRoot,
    canSudo:
      missing.length > 0 && !isRoot && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0,
  };
}

function nodeModulesState(root) {
  if (readIfThere(stampPath(root)) === lockHash(root)) return "current";
  const installed = readIfThere(join(root, "node_modules", ".package-lock.json"));
  if (installed === undefined) return "changed";
  const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  return installedMatchesLock(lock, JSON.parse(installed)) ? "unstamped" : "changed";
}

function npmHasNodeFor(root, platform) {
  const { optionalDependencies = {} } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return [`node-${platform}`, `node-bin-${platform}`].some((name) => name in optionalDependencies);
}

function look() {
  const wanted = (field) => PACKAGES.flatMap((entry) => entry[field] ?? []);
  return {
    commands: new Set(wanted("commands").filter(hasCommand)),
    phpModules: readPhpModules(),
    files: new Set(wanted("files").filter((path) => existsSync(path))),
    os: process.platform,
  };
}

function readPhpModules() {
  if (!hasCommand("php")) return new Set();
  const { stdout } = spawnSync("php", ["-m"], { encoding: "utf8" });
  return new Set((stdout ?? "").toLowerCase().split("\n"));
}

/** Server programs are in sbin, which is not on an ordinary Debian user's PATH. */
function hasCommand(name) {
  const dirs = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return dirs.some((dir) => dir !== "" && existsSync(join(dir, name)));
}

function aptListsExist() {
  const dir = "/var/lib/apt/lists";
  return existsSync(dir) && readdirSync(dir).some((name) => name.includes("_Packages"));
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  }
}
