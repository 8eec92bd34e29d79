// How long a real WordPress takes for its front page while nothing else happens and while a full backup of it runs, taking
// turns: files, media and database of the backup are those of the site that answers.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { ensureDemoSite } from "#local/demo/demo-site.ts";
import { inheritedEnvironment } from "#local/own-process.ts";
import { inTurns } from "./in-turns.ts";
import { addMedia, type SiteSize } from "./site.ts";
import type { World } from "./world.ts";

export interface PageRound {
  /** Milliseconds of each answer. */
  readonly idle: readonly number[];
  readonly during: readonly number[];
  readonly backupSeconds: number;
}

/** Modest: a page takes some 50 to 100 ms of one processor. */
const REQUESTS_PER_SECOND = 4;
const IDLE_MS = 15_000;
const WARM_MS = 3_000;

/** The last thing to be measured: this process has the lowest priority from then on. */
export async function runPages(
  world: World,
  dir: string,
  size: SiteSize,
  rounds: number,
): Promise<PageRound[]> {
  await using demo = await ensureDemoSite({ dir: join(dir, "demo"), mariadbPort: 0, wordpressPort: 0 });
  addMedia(demo.siteDir, "media", size.mediaFiles, size.mediaBytes);
  await using visitor = startVisitor(demo.siteUrl);
  // After the site and its visitor were started: the storage is in this process and would be elsewhere, so it must not
  // compete with them.
  setPriority(constants.priority.PRIORITY_LOW);
  await visitor.askWhile(() => sleep(WARM_MS));
  const done: PageRound[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const siteId = await world.register(demo.siteDir);
    let backupSeconds = 0;
    // The first backup of a site is a full one.
    const during = (): Promise<number[]> =>
      visitor.askWhile(async () => {
        backupSeconds = (await world.backUp(siteId)).seconds;
      });
    const idle = (): Promise<number[]> => visitor.askWhile(() => sleep(IDLE_MS));
    const [duringMs, idleMs] = await inTurns(round % 2 === 1, during, idle);
    done.push({ idle: idleMs, during: duringMs, backupSeconds });
    await world.forget(siteId);
    await world.empty(world.stack.bucket);
  }
  return done;
}

interface Visitor extends AsyncDisposable {
  /** Milliseconds of each answer that was asked for while `work` was going on. */
  askWhile(work: () => Promise<unknown>): Promise<number[]>;
}

function startVisitor(url: string): Visitor {
  const script = join(import.meta.dirname, "page-client.ts");
  const child = spawn(process.execPath, [script, url, String(REQUESTS_PER_SECOND)], {
    env: inheritedEnvironment(),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async askWhile(work) {
      child.stdin.write("start\n");
      await work();
      child.stdin.write("stop\n");
      const { value, done } = await lines.next();
      if (done === true) throw new Error("The front page could not be asked for");
      return JSON.parse(value) as number[];
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
    },
  };
}
