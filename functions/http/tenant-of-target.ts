// Whose the thing is that a call has changed, so that its tenant reads of it in their activity, too: also of what the
// operators of the whole fleet do to it. What is of nobody, or of no kind known here, is for the latter only.
import type { ActivityRecord } from "../core/records.ts";
import type { Records } from "../stores/records.ts";

export async function tenantOfTarget(
  { kind, id }: ActivityRecord["target"],
  records: Records,
): Promise<string | undefined> {
  switch (kind) {
    case "site":
      return (await records.sites.get(id))?.tenant;
    case "node":
      return (await records.nodes.get(id))?.tenant;
    case "job":
      return (await records.jobs.get(id))?.tenant;
    case "backup":
      return ((await records.backups.get(id)) ?? (await records.deletedBackups.get(id))?.backup)?.tenant;
    case "enrollment_token":
      return (await records.enrollmentTokens.get(id))?.tenant;
    case "api_token":
      return (await records.apiTokens.get(id))?.tenant;
    default:
      return undefined;
  }
}
