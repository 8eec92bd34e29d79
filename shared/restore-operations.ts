// The calls of restores, verifications and what becomes of old backups; part of the table in operations.ts.
import { Backup } from "./contracts/backups.ts";
import { BySite, IdPath, page } from "./contracts/common.ts";
import { SourceBackup } from "./contracts/restores.ts";
import type { Operation } from "./operations.ts";

export const RESTORE_OPERATIONS = {
  listNodeBackups: {
    method: "GET",
    path: "/nodes/backups",
    access: "node",
    summary: "The calling node's backups, newest first",
    query: BySite,
    status: 200,
    answer: page(Backup),
  },
  getNodeBackup: {
    method: "GET",
    path: "/nodes/backups/{id}",
    access: "node",
    summary: "One of the calling node's backups, with a presigned URL to read it",
    params: IdPath,
    status: 200,
    answer: SourceBackup,
  },
} as const satisfies Record<string, Operation>;
