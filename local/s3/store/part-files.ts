// The bytes of the object store: immutable files with random names, so that no key ever becomes a path. A file
// counts only once a committed segment names it; all others are swept at the next start.
import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { ChunkBuffers } from "./chunk-buffers.ts";
import { PartWriter } from "./part-writer.ts";

export type EventLog = (event: object) => void;

export class PartFiles {
  /** To read them into. */
  readonly buffers: ChunkBuffers = new ChunkBuffers();
  readonly #directory: string;
  readonly #directoryHandle: FileHandle;
  readonly #log: EventLog;
  readonly #pins = new Map<string, number>();
  readonly #doomed = new Set<string>();

  private constructor(directory: string, directoryHandle: FileHandle, log: EventLog) {
    this.#directory = directory;
    this.#directoryHandle = directoryHandle;
    this.#log = log;
  }

  static async open(dataDir: string, log: EventLog): Promise<PartFiles> {
    const directory = join(dataDir, "parts");
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return new PartFiles(directory, await open(directory, "r"), log);
  }

  create(): PartWriter {
    const name = randomUUID();
    return new PartWriter(name, this.#path(name), this.#directoryHandle);
  }

  openForReading(name: string): Promise<FileHandle> {
    return open(this.#path(name), "r");
  }

  /** Keeps the files readable until the returned function is called, even if their last object is deleted. */
  pin(names: Iterable<string>): () => Promise<void> {
    const pinned = [...new Set(names)];
    for (const name of pinned) this.#pins.set(name, (this.#pins.get(name) ?? 0) + 1);
    let released = false;
    return async () => {
      if (released) return;
      released = true;
      for (const name of pinned) {
        const left = (this.#pins.get(name) ?? 1) - 1;
        if (left > 0) this.#pins.set(name, left);
        else this.#pins.delete(name);
      }
      await this.remove(pinned.filter((name) => this.#doomed.has(name)));
    };
  }

  /** Deletes files that no committed segment names any more; pinned ones go when they are released. */
  async remove(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (this.#pins.has(name)) {
        this.#doomed.add(name);
        continue;
      }
      this.#doomed.delete(name);
      try {
        await unlink(this.#path(name));
      } catch (error) {
        // The request that freed it is already committed; the sweep of the next start tries again.
        this.#log({ event: "s3.part_file_not_removed", name, error });
      }
    }
  }

  async names(): Promise<string[]> {
    return readdir(this.#directory);
  }

  async sweep(live: ReadonlySet<string>): Promise<void> {
    const leftovers = (await this.names()).filter((name) => !live.has(name));
    if (leftovers.length > 0) this.#log({ event: "s3.leftovers_removed", files: leftovers.length });
    await this.remove(leftovers);
  }

  async close(): Promise<void> {
    await this.#directoryHandle.close();
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}
