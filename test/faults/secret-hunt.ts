// Looks for known secrets in whatever a backup leaves behind or shows on its way: texts, directories, and the command
// lines and environments of all processes while it runs.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** By what it is, as it is shown when it is found. */
export type Secrets = ReadonlyMap<string, string>;

/** As it is, and as it looks inside a URL, in JSON, in Base64 and in hex. */
function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  // Base64 that begins elsewhere in a longer text has the same inner digits, once those at the ends are cut.
  const shifted = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString("hex"),
    ...shifted,
  ];
}

/** Which of the secrets are in there. */
export function secretsIn(content: string | Buffer, secrets: Secrets): string[] {
  const found = [...secrets].filter(([, secret]) => formsOf(secret).some((form) => content.includes(form)));
  return found.map(([name]) => name);
}

/** `file: secret` for each that is in a file below the directory. */
export async function secretsBelow(dir: string, secrets: Secrets): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    found.push(
      ...secretsIn(await readFile(path), secrets).map((name) => `${path.slice(dir.length + 1)}: ${name}`),
    );
  }
  return found.sort();
}

export interface ProcessWatch {
  /** Resolves once such a command line was seen, however long a look at all processes takes. */
  saw(isIt: (command: string) => boolean): Promise<void>;
  /** Ends the watch; each distinct command line and environment that was seen. */
  end(): Promise<readonly SeenProcess[]>;
}

export interface SeenProcess {
  readonly command: string;
  readonly environment: string;
}

const LOOK_EVERY_MS = 10;

/** Reads /proc over and over until it is ended: what any user of the node could see with `ps`, and root with more. */
export function watchProcesses(): ProcessWatch {
  const stop = new AbortController();
  const seen = new Map<string, SeenProcess>();
  const watch = (async () => {
    while (!stop.signal.aborted) {
      const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
      for (const process of await Promise.all(pids.map(readProcess))) {
        if (process !== undefined) seen.set(`${process.command}\n${process.environment}`, process);
      }
      await delay(LOOK_EVERY_MS);
    }
  })();
  return {
    async saw(isIt) {
      while (![...seen.values()].some(({ command }) => isIt(command))) await delay(LOOK_EVERY_MS);
    },
    async end() {
      stop.abort();
      await watch;
      return [...seen.values()];
    },
  };
}

async function readProcess(pid: string): Promise<SeenProcess | undefined> {
  const read = async (name: string): Promise<string> =>
    (await readFile(`/proc/${pid}/${name}`, "utf8")).replaceAll("\0", " ");
  try {
    return { command: await read("cmdline"), environment: await read("environ") };
  } catch {
    return undefined; // Ended meanwhile, or a kernel thread.
  }
}
