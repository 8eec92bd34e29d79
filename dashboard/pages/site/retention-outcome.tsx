// What a policy would do today, asked of the very code that would do it.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Retention, RetentionPreview } from "#shared/contracts/retention.ts";
import { call } from "../../api/client.ts";
import type { ApiFault } from "../../api/problem.ts";
import { bytes, count } from "../../lib/format.ts";
import { reasonInWords } from "../../lib/retention-words.ts";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";

export function RetentionOutcome({ siteId, policy }: { siteId: string; policy: Retention }): ReactNode {
  const preview = useQuery<RetentionPreview, ApiFault>({
    queryKey: ["previewSiteRetention", siteId, policy],
    queryFn: ({ signal }) => call("previewSiteRetention", { params: { id: siteId }, query: policy, signal }),
    // The answer before stays while the next one is on its way: nothing jumps between two keystrokes.
    placeholderData: keepPreviousData,
  });
  if (preview.error !== null) return <FaultNote fault={preview.error} onRetry={preview.refetch} />;
  if (preview.data === undefined) return <Skeleton rows={4} />;
  const { keep, remove, freed_bytes: freed, alarms } = preview.data;
  return (
    <section className="preview" aria-label="What would happen" aria-busy={preview.isFetching}>
      <h3>
        Keeps {count(keep.length, "backup")},{" "}
        {remove.length === 0 ? "none would go" : `${remove.length} would go (${bytes(freed)})`}
      </h3>
      {alarms.map(({ code, message }) => (
        <p key={code} className="bad-text">
          {message}
        </p>
      ))}
      <ol className="judged">
        {keep.map((each) => (
          <Judged key={each.backup_id} judged={each} mark="✓" />
        ))}
        {remove.map((each) => (
          <Judged key={each.backup_id} judged={each} mark="✗" />
        ))}
      </ol>
    </section>
  );
}

function Judged({ judged, mark }: { judged: RetentionPreview["keep"][number]; mark: string }): ReactNode {
  return (
    <li>
      <span className="nowrap">
        <span className={mark === "✓" ? "good-text" : "bad-text"} aria-hidden="true">
          {mark}
        </span>
        <span className="visually-hidden">{mark === "✓" ? "Stays: " : "Goes: "}</span>{" "}
        <Link href={`/backups/${judged.backup_id}`}>
          <Moment at={judged.created_at} />
        </Link>
      </span>
      <span className="muted small">{judged.reasons.map(reasonInWords).join(", ")}</span>
    </li>
  );
}
