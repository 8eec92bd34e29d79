// What a restore did, or in a dry run would do; and the way back from it.
import type { ReactNode } from "react";
import type { Job } from "#shared/contracts/jobs.ts";
import { bytes, count } from "../../lib/format.ts";
import { Moment } from "../../ui/time.tsx";
import { UndoButton } from "../../ui/undo-button.tsx";

export function RestoreOutcome({ job }: { job: Job }): ReactNode {
  const result = job.result?.restore;
  if (result === undefined) return <p>Done.</p>;
  const { dry_run: isDryRun, url_change: url } = result;
  return (
    <>
      <p>
        <strong>{isDryRun ? "Nothing was changed." : "Restored."}</strong>{" "}
        {isDryRun ? "It would bring back " : ""}
        {count(result.files, "file")} ({bytes(result.files_bytes)})
        {result.db_bytes > 0 ? ` and ${bytes(result.db_bytes)} of database` : ""}.
      </p>
      {url === null ? null : (
        <p>
          Address: {url.from} → {url.to}, {count(url.values, "value")} in {count(url.tables, "table")}.
        </p>
      )}
      {result.sample.length === 0 ? null : (
        <details>
          <summary>Names</summary>
          <code>{result.sample.join("\n")}</code>
        </details>
      )}
      {result.undo_until === null || isDryRun ? null : (
        <>
          <p>
            What was there before is kept until <Moment at={result.undo_until} /> ({bytes(result.kept_bytes)}
            ).
          </p>
          <UndoButton siteId={job.site_id} siteName={job.site_name} />
        </>
      )}
    </>
  );
}
