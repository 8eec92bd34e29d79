// The multipart uploads that are open, one ledger each, from before their first part is sent until they are completed
// and reported, or aborted: the node may not list uploads, and parts of an upload that nobody remembers cost money.
import { type FileHandle, open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { SuccessReport } from "#shared/contracts/backups.ts";
import { TEMPORARY_SUFFIX, writeFileAtomic } from "./atomic-file.ts";
import { type LedgerHead, readLedgerHead } from "./ledger-head.ts";
import { type StateDir, stateError } from "./state-dir.ts";
import { encodeRecord, type Ledger, type LedgerRecord, type Opened, readLedger } from "./upload-ledger.ts";

export interface LedgerWriter {
  /** Written in the background and not synced: what is lost is sent again. A fault is told once and ends the ledger. */
  note(record: LedgerRecord): void;
  /** Durable when it resolves, with all before it. Throws what the file system says. */
  completing(report: SuccessReport): Promise<void>;
  /** After the last record. */
  close(): Promise<void>;
}

export interface UploadJournal {
  /**
   * Durable when it resolves: `records` are the ledger's first. Other ledgers of the same upload are dropped.
   * Throws `disk_full` or `state_dir_unusable`.
   */
  begin(records: readonly LedgerRecord[], onFault: (error: unknown) => void): Promise<LedgerWriter>;
  /** Of jobs that no living process works on, or of `jobId`; newest first. Cheap, however large the ledgers are. */
  left(jobId?: string): Promise<LedgerHead[]>;
  /** All of one; undefined if it is gone. */
  read(jobId: string): Promise<Ledger | undefined>;
  /** Durable: the upload is to be aborted, whatever happens. */
  abandon(opened: Opened): Promise<void>;
  /** After it was completed and reported, or aborted. */
  drop(jobId: string): Promise<void>;
}

const SUFFIX = ".ledger";

/** One upload at a time per job, so the job names the file in `<state-dir>/uploads`. */
export function openUploadJournal(state: Pick<StateDir, "uploadsDir" | "listSpools">): UploadJournal {
  const dir = state.uploadsDir;
  const fileOf = (jobId: string): string => join(dir, `${jobId}${SUFFIX}`);

  async function readHeads(): Promise<LedgerHead[]> {
    const ledgers: LedgerHead[] = [];
    for (const name of await readdir(dir)) {
      if (!name.endsWith(SUFFIX)) continue;
      const ledger = await readLedgerHead(join(dir, name)).catch(ignoreMissing);
      // Its beginning was written atomically, so only a damaged disk gets here; the bucket's rule ends that upload.
      if (ledger === undefined) await drop(name.slice(0, -SUFFIX.length));
      else ledgers.push(ledger);
    }
    return ledgers.sort((a, b) => b.opened.opened_at.localeCompare(a.opened.opened_at));
  }

  async function drop(jobId: string): Promise<void> {
    await unlink(fileOf(jobId)).catch(ignoreMissing);
  }

  return {
    async begin(records, onFault) {
      const [opened] = records;
      if (opened?.is !== "upload") throw new Error("a ledger begins with its upload");
      const file = fileOf(opened.job_id);
      try {
        await writeFileAtomic(file, records.map(encodeRecord).join(""));
      } catch (error) {
        throw stateError(error, file);
      }
      for (const other of await readHeads()) {
        const { job_id: jobId, upload_id: uploadId } = other.opened;
        if (uploadId === opened.upload_id && jobId !== opened.job_id) await drop(jobId);
      }
      return openWriter(await open(file, "a"), onFault);
    },
    async left(jobId) {
      const spools = await state.listSpools();
      const alive = new Set(spools.filter(({ isAlive }) => isAlive).map((spool) => spool.jobId));
      const all = await readHeads();
      return all.filter(({ opened }) => opened.job_id === jobId || !alive.has(opened.job_id));
    },
    read: async (jobId) => await readFile(fileOf(jobId)).then(readLedger, ignoreMissing),
    async abandon(opened) {
      const records: LedgerRecord[] = [opened, { is: "abandoned" }];
      await writeFileAtomic(fileOf(opened.job_id), records.map(encodeRecord).join(""));
    },
    drop,
  };
}

/** Removes what a crash left half-written. */
export async function sweepUploadJournal(dir: string): Promise<void> {
  const torn = (await readdir(dir)).filter((name) => name.endsWith(TEMPORARY_SUFFIX));
  for (const name of torn) await unlink(join(dir, name)).catch(ignoreMissing);
}

function openWriter(handle: FileHandle, onFault: (error: unknown) => void): LedgerWriter {
  let fault: { readonly error: unknown } | undefined;
  let writing: Promise<void> = Promise.resolve();
  const append = (record: LedgerRecord): Promise<void> => {
    writing = writing.then(async () => {
      if (fault !== undefined) return;
      try {
        await handle.appendFile(encodeRecord(record));
      } catch (error) {
        fault = { error };
        onFault(error);
      }
    });
    return writing;
  };
  return {
    note: (record) => void append(record),
    async completing(report) {
      await append({ is: "completing", report });
      if (fault !== undefined) throw fault.error;
      await handle.sync();
    },
    async close() {
      await writing;
      await handle.close();
    },
  };
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
