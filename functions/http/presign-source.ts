// An archive as a node is to read it, with a fresh URL.
import type { SourceBackup } from "#shared/contracts/restores.ts";
import { objectKey } from "#shared/object-key.ts";
import type { BackupRecord } from "../core/records.ts";
import { archiveName, SOURCE_URL_SECONDS, sourceBackup } from "../core/source-backup.ts";
import type { Deps } from "../deps.ts";

export async function presignSource(backup: BackupRecord, deps: Deps<"storages">): Promise<SourceBackup> {
  const key = objectKey(backup.s3_path);
  const objects = await deps.storages.at(backup.provider_id);
  const url = await objects.presignGet(key, archiveName(backup), SOURCE_URL_SECONDS);
  return sourceBackup(backup, url, deps.now());
}
