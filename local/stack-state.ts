// What a local stack must find again at its next start: its ports (enrolled nodes and presigned URLs name them), its
// own keys and the operator's token. Kept 0600 in the stack's directory.
import { randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { z } from "zod";

const Port = z.int().min(1).max(65_535);
const SERVICES = ["api", "s3", "sqs", "dynamodb", "scheduler", "sts", "wordpress", "mariadb"] as const;
export type Service = (typeof SERVICES)[number];

const StackState = z.strictObject({
  version: z.literal(1),
  ports: z.record(z.enum(SERVICES), Port),
  /** The operator's token: the bootstrap admin of this stack. */
  adminToken: z.string(),
  /** The Master's own storage keys. */
  masterKeys: z.strictObject({ accessKeyId: z.string(), secretAccessKey: z.string() }),
});
export type StackState = z.infer<typeof StackState>;

export interface FoundState {
  readonly state: StackState;
  /** Nobody has been told its ports yet. */
  readonly isNew: boolean;
}

/** Reads `<dir>/stack.json`, or makes it: ports from `firstPort` on where they are free, otherwise any. */
export async function ensureStackState(dir: string, firstPort: number): Promise<FoundState> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = fileIn(dir);
  const known = await readState(file);
  if (known !== undefined) return { state: known, isNew: false };
  const state: StackState = {
    version: 1,
    ports: await choosePorts(firstPort),
    adminToken: `bkp_${randomBytes(32).toString("base64url")}`,
    masterKeys: {
      accessKeyId: `LOCAL${randomBytes(8).toString("hex").toUpperCase()}`,
      secretAccessKey: randomBytes(30).toString("base64"),
    },
  };
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return { state, isNew: true };
}

/** The next start makes a new one. */
export async function forgetStackState(dir: string): Promise<void> {
  await rm(fileIn(dir), { force: true });
}

function fileIn(dir: string): string {
  return join(dir, "stack.json");
}

async function readState(file: string): Promise<StackState | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const parsed = StackState.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(`${file} is from another version: move its directory away, or use another one with --dir.`);
}

async function choosePorts(firstPort: number): Promise<StackState["ports"]> {
  const taken = new Set<number>();
  const ports: Partial<StackState["ports"]> = {};
  for (const [index, service] of SERVICES.entries()) {
    let port = firstPort === 0 ? await freePort(0) : await freePort(firstPort + index);
    while (taken.has(port)) port = await freePort(0);
    taken.add(port);
    ports[service] = port;
  }
  return StackState.shape.ports.parse(ports);
}

/** `wanted` if nobody listens there, otherwise any free port. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" && wanted !== 0) freePort(0).then(resolve, reject);
      else reject(error);
    });
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
