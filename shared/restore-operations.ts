// The calls of restores, verifications and what becomes of old backups; part of the table in operations.ts.

import { ArchiveFile, FilesQuery } from "./contracts/backup-files.ts";
import { Backup, PutHold, Reported } from "./contracts/backups.ts";
import { BySite, IdPath, page } from "./contracts/common.ts";
import { StartedJob } from "./contracts/jobs.ts";
import {
  JobReport,
  SourceBackup,
  SourceQuery,
  StartRestore,
  StartUndo,
  StartVerify,
} from "./contracts/restores.ts";
import { ProofSchedule, Site } from "./contracts/sites.ts";
import type { Operation } from "./operations.ts";

export const RESTORE_OPERATIONS = {
  listBackupFiles: {
    method: "GET",
    path: "/backups/{id}/files",
    access: "viewer",
    summary: "What is in the archive, one directory at a time, by name",
    params: IdPath,
    query: FilesQuery,
    status: 200,
    answer: page(ArchiveFile),
  },
  deleteBackup: {
    method: "DELETE",
    path: "/backups/{id}",
    access: "admin",
    summary:
      "Delete a backup that is not on hold; where the bucket keeps versions, the object can be brought back",
    params: IdPath,
    status: 204,
    activity: "backup.deleted",
  },
  putBackupHold: {
    method: "PUT",
    path: "/backups/{id}/hold",
    access: "operator",
    summary: "Protect a backup from being deleted, or lift that",
    params: IdPath,
    body: PutHold,
    status: 200,
    answer: Backup,
    activity: "backup.hold_changed",
  },
  restoreBackup: {
    method: "POST",
    path: "/backups/{id}/restore",
    access: "operator",
    summary: "Queue a restore on the site's node",
    params: IdPath,
    body: StartRestore,
    status: 202,
    answer: StartedJob,
    activity: "restore.started",
  },
  undoRestore: {
    method: "POST",
    path: "/sites/{id}/restore/undo",
    access: "operator",
    summary: "Queue the undoing of the site's last restore",
    params: IdPath,
    body: StartUndo,
    status: 202,
    answer: StartedJob,
    activity: "restore.undo_started",
  },
  verifyBackup: {
    method: "POST",
    path: "/backups/{id}/verify",
    access: "operator",
    summary: "Queue a verification, or with `deep` a proof, on the site's node",
    params: IdPath,
    body: StartVerify,
    status: 202,
    answer: StartedJob,
    activity: "verify.started",
  },
  putSiteProof: {
    method: "PUT",
    path: "/sites/{id}/proof",
    access: "operator",
    summary: "When the site's newest backup is verified, or with `deep` proved",
    params: IdPath,
    body: ProofSchedule,
    status: 200,
    answer: Site,
    activity: "site.proof_changed",
  },
  cancelJob: {
    method: "POST",
    path: "/jobs/{id}/cancel",
    access: "operator",
    summary: "End a queued job of any type, or stop a running one",
    params: IdPath,
    status: 202,
    answer: StartedJob,
    activity: "job.cancelled",
  },
  reportJob: {
    method: "POST",
    path: "/jobs/{id}/report",
    access: "node",
    summary: "How a restore, an undo or a verification ended",
    params: IdPath,
    body: JobReport,
    status: 200,
    answer: Reported,
  },

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
    summary: "A backup that the calling node made, or reads for a job, with a presigned URL",
    params: IdPath,
    query: SourceQuery,
    status: 200,
    answer: SourceBackup,
  },
} as const satisfies Record<string, Operation>;
