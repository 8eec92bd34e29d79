// Opens the object store and owns its two halves, metadata and part files, and the one rule that joins them:
// bytes are durable before metadata names them, and are deleted only after metadata no longer does.
import { Database } from "./database.ts";
import { type EventLog, PartFiles } from "./part-files.ts";

export interface Change {
  readonly db: Database;
  /** Part files that this change left without any segment. */
  readonly freed: string[];
}

export class Store {
  readonly db: Database;
  readonly files: PartFiles;
  /** Checksums of parts of part files, which never change: backup after backup copies the same ranges. */
  readonly cutChecksums = new Map<string, Buffer>();

  private constructor(db: Database, files: PartFiles) {
    this.db = db;
    this.files = files;
  }

  static async open(dataDir: string, log: EventLog): Promise<Store> {
    const db = new Database(dataDir);
    try {
      const files = await PartFiles.open(dataDir, log);
      const live = db.all<{ name: string }>("SELECT name FROM part_files").map((row) => row.name);
      await files.sweep(new Set(live));
      return new Store(db, files);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Runs `apply` in one transaction, then deletes the part files it freed. */
  async change<T>(apply: (change: Change) => T): Promise<T> {
    const freed: string[] = [];
    const result = this.db.transaction(() => apply({ db: this.db, freed }));
    await this.files.remove(freed);
    return result;
  }

  async close(): Promise<void> {
    await this.files.close();
    this.db.close();
  }
}
