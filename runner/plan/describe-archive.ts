// What a backup did, in a few lines for a person at a terminal: the same after run-once and in the demo.
import type { Archive, StageTime } from "#shared/contracts/backups.ts";
import { formatBytes, formatSeconds } from "#shared/units.ts";

export interface DescribedBackup {
  readonly size_bytes: number;
  readonly archive: Archive;
  readonly stages: readonly StageTime[];
}

const FULL_BECAUSE: Readonly<Record<NonNullable<Archive["full_reason"]>, string>> = {
  no_previous: "it is the first",
  storage_changed: "the site's backups now go to another storage than the one before",
  requested: "that was asked for",
  periodic: "one in thirty is",
  nothing_unchanged: "nothing is as it was",
  below_minimum_part: "the previous archive is under 5 MiB, which S3 copies at least",
  too_fragmented: "what has not changed is too little or too scattered to copy",
  previous_unreadable: "the previous archive's index could not be read",
  source_gone: "the previous archive is gone, or this node may not read it",
  source_changed: "the previous archive has been replaced",
  source_cold: "the previous archive is in a cold storage class",
  copy_refused: "the storage refused to copy parts of the previous archive",
  copy_failed: "the storage failed to copy parts of the previous archive, or took too long",
};

export function describeArchive({ archive, size_bytes, stages }: DescribedBackup): string[] {
  const { full_reason: reason } = archive;
  const kind =
    archive.mode === "incremental"
      ? "what has not changed was copied inside S3"
      : `packed in full${reason === null ? "" : `: ${FULL_BECAUSE[reason]}`}`;
  const seconds = stages.reduce((sum, stage) => sum + stage.seconds, 0);
  return [
    `archive   ${formatBytes(size_bytes)}, ${kind}`,
    ...contents(archive),
    `bytes     ${formatBytes(archive.bytes_read)} read, ${formatBytes(archive.bytes_compressed)} compressed, ` +
      `${formatBytes(archive.bytes_uploaded)} uploaded, ${formatBytes(archive.bytes_copied)} copied${resumed(archive)}`,
    `cost      ${archive.requests} requests, ${formatBytes(archive.peak_rss_bytes)} peak memory`,
    `time      ${formatSeconds(seconds)}: ${stages.map(({ name, seconds: took }) => `${name} ${took.toFixed(2)}`).join(", ")}`,
  ];
}

function contents(archive: Archive): string[] {
  const { files, files_compared: compared, entries } = archive;
  const all = {
    unchanged: archive.entries_unchanged,
    changed: archive.entries_changed,
    added: archive.entries_added,
    deleted: archive.entries_deleted,
  };
  const filesLine = `files     ${files} and the database${compared === undefined ? "" : `: ${fates(compared)}`}`;
  return [filesLine, `entries   ${entries}, with links and directories: ${fates(all)}`];
}

function fates({ unchanged, changed, added, deleted }: NonNullable<Archive["files_compared"]>): string {
  return `${unchanged} unchanged, ${changed} changed, ${added} new; ${deleted} deleted`;
}

function resumed({ bytes_resumed: bytes }: Archive): string {
  return bytes === 0 ? "" : `, ${formatBytes(bytes)} sent before by an attempt that was cut short`;
}
