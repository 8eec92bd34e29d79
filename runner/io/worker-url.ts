// Where a worker thread's code is: beside the file that starts it, be that a source or, in an installed copy, a bundle
// (scripts/package-runner.mjs makes one of every *-worker.ts, all in one directory).

/** `startedFrom`: the `import.meta.url` of the file beside the worker's. */
export function workerUrl(name: string, startedFrom: string): URL {
  return new URL(`./${name}${startedFrom.endsWith(".ts") ? ".ts" : ".cjs"}`, startedFrom);
}
