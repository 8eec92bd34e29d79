// Where the code of a thread lies: beside the file that starts it, among the sources (.ts) and in an installed copy,
// where all modules are in one directory (.mjs, see scripts/package-runner.mjs).
import { extname } from "node:path";

/** `starter`: its import.meta.url. `name`: ends in -worker, without extension. */
export function workerFile(starter: string, name: `${string}-worker`): URL {
  return new URL(`./${name}${extname(starter)}`, starter);
}
