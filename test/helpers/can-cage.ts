// Whether this machine lets us lock a program up: containers often have no right to make namespaces.
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const PROBE = [
  "--unshare-net",
  "--unshare-pid",
  "--unshare-ipc",
  "--unshare-uts",
  "--ro-bind",
  "/",
  "/",
  "true",
];

export async function canCage(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  return await promisify(execFile)("bwrap", PROBE).then(
    () => true,
    () => false,
  );
}
