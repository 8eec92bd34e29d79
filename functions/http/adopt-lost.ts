// Records archives of a lost table: those below one site's prefix, each from its own index, and what the manifest says of it.
import type { Elsewhere } from "../core/adopt-archive.ts";
import type { ManifestBackup } from "../core/manifest.ts";
import type { BackupRecord } from "../core/records.ts";
import type { StoredObject } from "../core/stored-object.ts";
import type { Deps } from "../deps.ts";
import { adoptObject } from "./adopt-object.ts";

export interface AdoptLost {
  /** `objects`: the storage that they lie in. */
  readonly deps: Deps<"records" | "objects">;
  readonly report: { backups: number; refused: { key: string; why: string }[] };
  /** By the archives' paths. */
  readonly marks: ReadonlyMap<string, ManifestBackup>;
  readonly elsewhere?: Elsewhere;
}

/** One after the other: each changes its site. */
export async function adoptLost(objects: readonly StoredObject[], work: AdoptLost): Promise<void> {
  const { deps, report, marks, elsewhere } = work;
  for (const object of objects) {
    const verdict = await adoptObject(object, deps, { isQuiet: true, isAwaited: false, elsewhere });
    if (verdict.kind === "adopted") {
      report.backups += 1;
      await mark(verdict.backup, marks.get(verdict.backup.s3_path), deps);
    } else if ("why" in verdict && verdict.kind !== "recorded") {
      report.refused.push({ key: object.key, why: verdict.why });
    }
  }
}

async function mark(
  backup: BackupRecord,
  said: ManifestBackup | undefined,
  { records }: Deps<"records">,
): Promise<void> {
  const { hold, verification_failed: failed } = said ?? {};
  if (hold === undefined && failed === undefined) return;
  const set = {
    ...(hold === undefined ? {} : { hold: hold as NonNullable<BackupRecord["hold"]> }),
    ...(failed === undefined
      ? {}
      : { verification_failed: failed as NonNullable<BackupRecord["verification_failed"]> }),
  };
  await records.commit({ jobs: [], mark: { backup, set } });
}
