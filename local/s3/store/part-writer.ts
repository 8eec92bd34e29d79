// Writes one part file while its bytes arrive: chunks are gathered to large vectored writes, one of which may be
// under way while the next is gathered, so memory per upload is bounded whatever its size.
import { type FileHandle, open, unlink } from "node:fs/promises";
import { freeBuffer } from "#runner/io/free-buffer.ts";
import type { Segment } from "./segments.ts";

const BATCH_BYTES = 1024 * 1024;
const BATCH_CHUNKS = 256;

export class PartWriter {
  readonly name: string;
  readonly #path: string;
  readonly #directory: FileHandle;
  #file: FileHandle | undefined;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #writtenBytes = 0;
  #underWay: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(name: string, path: string, directory: FileHandle) {
    this.name = name;
    this.#path = path;
    this.#directory = directory;
  }

  /** Takes the chunk over: it is empty once it is written. Rejects with the file system's error. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#batch.push(chunk);
    this.#batchBytes += chunk.length;
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_CHUNKS) await this.#flush();
  }

  /** Makes everything durable; the segment of the whole file, or none when nothing was written. */
  async finish(): Promise<Segment[]> {
    await this.#flush();
    await this.#settle();
    if (this.#file === undefined) return [];
    await this.#file.datasync();
    await this.#file.close();
    this.#file = undefined;
    await this.#directory.sync();
    return [{ partFile: this.name, offsetBytes: 0, bytes: this.#writtenBytes }];
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.#underWay;
    const created = this.#writtenBytes > 0 || this.#file !== undefined;
    await this.#file?.close();
    this.#file = undefined;
    if (created) await unlink(this.#path);
  }

  async #flush(): Promise<void> {
    await this.#settle();
    if (this.#batchBytes === 0) return;
    this.#file ??= await open(this.#path, "wx", 0o600);
    const batch = this.#batch;
    const bytes = this.#batchBytes;
    this.#batch = [];
    this.#batchBytes = 0;
    this.#underWay = writeAll(this.#file, batch, bytes).then(
      () => {
        this.#writtenBytes += bytes;
        // Left to the garbage collector, which marks all of the Master's heap for every 64 MB that come in, they cost
        // more processor time than everything else here.
        for (const chunk of batch) freeBuffer(chunk);
      },
      (error: unknown) => {
        // Kept for the next call, which is sure to come: a rejection nobody awaits yet would end the process.
        this.#failure = { error };
      },
    );
  }

  async #settle(): Promise<void> {
    await this.#underWay;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

async function writeAll(file: FileHandle, batch: Uint8Array[], bytes: number): Promise<void> {
  const { bytesWritten } = await file.writev(batch);
  if (bytesWritten === bytes) return;
  // A nearly full disk takes a part of the vector; writing the rest yields the real error or succeeds.
  await file.writeFile(Buffer.concat(batch).subarray(bytesWritten));
}
