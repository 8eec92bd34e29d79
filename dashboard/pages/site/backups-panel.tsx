// Every backup of the site, newest first: how large, how much of it had to be sent, how long it took.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Backup } from "#shared/contracts/backups.ts";
import type { Site } from "#shared/contracts/sites.ts";
import type { ListResult } from "../../api/hooks.ts";
import { bytes, count, duration, percent } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Empty, Panel, Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";
import { ProofBadge } from "../backup/proof-badge.tsx";

interface BackupsPanelProps {
  readonly backups: ListResult<Backup>;
  readonly site: Site;
}

export function BackupsPanel({ backups, site }: BackupsPanelProps): ReactNode {
  const { items, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = backups;
  return (
    <Panel
      title="Backups"
      aside={<span className="muted small">{hasNextPage ? "" : count(items.length, "backup")}</span>}
    >
      {error === null ? null : <FaultNote fault={error} onRetry={refetch} />}
      {isPending && error === null ? <Skeleton rows={4} /> : null}
      {!isPending && items.length === 0 ? (
        <Empty title="No backup yet">
          <p>
            {site.schedule === null
              ? "Back it up now, or give it a schedule."
              : "The first one comes by its schedule, or now."}
          </p>
        </Empty>
      ) : null}
      {items.length === 0 ? null : (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th>Made</th>
                <th className="num">Size</th>
                <th>Sent and copied</th>
                <th className="num">Took</th>
                <th>Kind</th>
                <th>Proof</th>
                <th>Notes</th>
              </tr>
            </thead>
            <tbody>
              {items.map((backup) => (
                <BackupRow key={backup.id} backup={backup} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {hasNextPage ? (
        <div className="panel-body">
          <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show older backups
          </Button>
        </div>
      ) : null}
    </Panel>
  );
}

function BackupRow({ backup }: { backup: Backup }): ReactNode {
  const { archive, size_bytes: size, started_at: start, finished_at: end, warnings_total: warnings } = backup;
  return (
    <tr>
      <td>
        <Link href={`/backups/${backup.id}`}>
          <Moment at={backup.created_at} />
        </Link>
      </td>
      <td className="num">{bytes(size)}</td>
      <td>
        <SentAndCopied sent={archive.bytes_uploaded} copied={archive.bytes_copied} />
      </td>
      <td className="num">{duration((Date.parse(end) - Date.parse(start)) / 1000)}</td>
      <td>
        {archive.mode === "full" ? "Full" : "Incremental"}
        <span className="muted">{backup.trigger === "manual" ? ", by hand" : ""}</span>
      </td>
      <td>{isKnown(backup) ? <ProofBadge backup={backup} /> : null}</td>
      <td>
        {backup.hold === null ? "" : "On hold "}
        {warnings === 0 ? "" : count(warnings, "warning")}
      </td>
    </tr>
  );
}

/** That nobody has tried it is what most rows would say. */
function isKnown(backup: Backup): boolean {
  return (backup.proved_at ?? backup.verified_at ?? backup.verification_failed) !== null;
}

/** Sent over the network; and copied from the backup before, inside the storage. */
export function SentAndCopied({ sent, copied }: { sent: number; copied: number }): ReactNode {
  const all = sent + copied;
  return (
    <span className="sent-and-copied">
      <span className="split" aria-hidden="true">
        <span className="sent" style={{ inlineSize: `${percent(sent, all)}%` }} />
        <span className="kept" style={{ inlineSize: `${percent(copied, all)}%` }} />
      </span>
      <span className="nowrap">
        {bytes(sent)} sent{copied === 0 ? "" : `, ${bytes(copied)} copied`}
      </span>
    </span>
  );
}
