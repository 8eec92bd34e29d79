// One backup: what is in it, how it was made, and how to get at it.
import { type ReactNode, useEffect, useState } from "react";
import { Link, useSearchParams } from "wouter";
import type { Backup } from "#shared/contracts/backups.ts";
import { useCall } from "../../api/hooks.ts";
import { IfMay, useMay, useMe } from "../../api/role.tsx";
import { bytes, count, duration } from "../../lib/format.ts";
import { bootInWords, checkedInWords } from "../../lib/proof-words.ts";
import { STAGE_NAMES } from "../../lib/stage-names.ts";
import { useTitle } from "../../lib/use-title.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Copyable } from "../../ui/copyable.tsx";
import { FaultPage } from "../../ui/fault-view.tsx";
import { Fact, Facts, Panel, Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";
import { SentAndCopied } from "../site/backups-panel.tsx";
import { BackupWarnings } from "./backup-warnings.tsx";
import { DeleteButton } from "./delete-button.tsx";
import { DownloadButton } from "./download-button.tsx";
import { FilesPanel } from "./files-panel.tsx";
import { HoldButton } from "./hold-button.tsx";
import { ProofBadge } from "./proof-badge.tsx";
import { RestoreDialog } from "./restore-dialog.tsx";
import { VerifyActions } from "./verify-actions.tsx";

export function BackupPage({ id }: { id: string }): ReactNode {
  const backup = useCall("getBackup", { params: { id } }, { everyMs: 60_000 });
  const may = useMay();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [params, setParams] = useSearchParams();
  // A site's page leads straight to it. Off the address at once: a reload is for looking what came of it.
  const [isRestoring, setIsRestoring] = useState(params.has("restore") && may("restoreBackup"));
  useEffect(() => {
    if (params.has("restore")) setParams({}, { replace: true });
  }, [params, setParams]);
  const toggle = (path: string): void =>
    setChosen(
      (before) => new Set(before.has(path) ? [...before].filter((each) => each !== path) : [...before, path]),
    );
  useTitle(backup.data === undefined ? "Backup" : `Backup of ${backup.data.site_name}`);
  if (backup.data === undefined) {
    return backup.error === null ? (
      <Skeleton rows={10} />
    ) : (
      <FaultPage fault={backup.error} onRetry={backup.refetch} />
    );
  }
  return (
    <>
      <div className="page-head">
        <nav className="crumbs" aria-label="Where this is">
          <Link href="/">Fleet</Link> /{" "}
          <Link href={`/sites/${backup.data.site_id}`}>{backup.data.site_name}</Link> / Backup
        </nav>
        <h1>
          <Moment at={backup.data.created_at} />
        </h1>
        <ProofBadge backup={backup.data} />
        {backup.data.hold === null ? null : <Badge tone="quiet">On hold</Badge>}
        <div className="actions">
          <VerifyActions backup={backup.data} />
          <HoldButton backup={backup.data} />
          <DeleteButton backup={backup.data} />
          <DownloadButton backup={backup.data} />
          <IfMay to="restoreBackup">
            <Button look="primary" onClick={() => setIsRestoring(true)}>
              {chosen.size === 0 ? "Restore" : `Restore ${count(chosen.size, "path")}`}
            </Button>
          </IfMay>
        </div>
      </div>
      <Damage backup={backup.data} />
      <BackupFacts backup={backup.data} />
      <FilesPanel backupId={id} chosen={chosen} onChoose={toggle} canChoose={may("restoreBackup")} />
      <div className="columns">
        <Stages backup={backup.data} />
        <BackupWarnings backup={backup.data} />
      </div>
      {isRestoring ? (
        <RestoreDialog backup={backup.data} paths={[...chosen]} onClose={() => setIsRestoring(false)} />
      ) : null}
    </>
  );
}

/** What the last verification found wrong, until one as deep finds nothing. */
function Damage({ backup: { verification_failed: failed } }: { backup: Backup }): ReactNode {
  if (failed === null) return null;
  return (
    <div className="note bad" role="alert">
      <p>
        <strong>{failed.error.message}</strong>
      </p>
      {failed.findings.map(({ code, message }) => (
        <p key={`${code} ${message}`}>{message}</p>
      ))}
      {failed.error.hint === undefined ? null : <p>{failed.error.hint}</p>}
    </div>
  );
}

function BackupFacts({ backup }: { backup: Backup }): ReactNode {
  const { archive, proof } = backup;
  return (
    <Panel title="Archive">
      <div className="panel-body">
        <Facts>
          <Fact term="Size">
            {bytes(backup.size_bytes)} <span className="muted">({bytes(archive.tar_bytes)} unpacked)</span>
          </Fact>
          <Fact term="Files">
            {count(archive.files, "file")}, {bytes(archive.files_bytes)}
          </Fact>
          <Fact term="Database">{bytes(archive.db_bytes)}</Fact>
          <Fact term="Made as">
            {archive.mode === "full"
              ? `Full${archive.full_reason === null ? "" : `: ${FULL[archive.full_reason]}`}`
              : "Incremental"}
          </Fact>
          <Fact term="Sent and copied" wide>
            <SentAndCopied sent={archive.bytes_uploaded} copied={archive.bytes_copied} />
          </Fact>
          <Fact term="Since the one before" wide>
            {archive.entries_added} added, {archive.entries_changed} changed, {archive.entries_deleted}{" "}
            deleted
          </Fact>
          <Fact term="Started by">{backup.trigger === "manual" ? "Hand" : "Schedule"}</Fact>
          <Fact term="Node">
            <NodeLink id={backup.node_id} />
          </Fact>
          {proof === null ? null : (
            <Fact term="Newest proof" wide>
              {checkedInWords(proof)} {bootInWords(proof)}
            </Fact>
          )}
          <Fact term="Place in the storage" wide>
            <Copyable text={backup.s3_path} what="place" />
          </Fact>
          <Fact term="SHA-256 of the index" wide>
            <Copyable text={archive.sha256_index} what="SHA-256" />
          </Fact>
        </Facts>
      </div>
    </Panel>
  );
}

const FULL: Readonly<Record<NonNullable<Backup["archive"]["full_reason"]>, string>> = {
  no_previous: "the first one",
  storage_changed: "the one before is in another storage",
  requested: "asked for",
  periodic: "its turn",
  nothing_unchanged: "everything had changed",
  below_minimum_part: "too small to copy from",
  too_fragmented: "too scattered to copy",
  previous_unreadable: "the one before could not be read",
  source_gone: "the one before was gone or not readable",
  source_changed: "the one before was replaced",
  source_cold: "the one before is in cold storage",
  copy_refused: "the storage does not copy",
  copy_failed: "the storage did not manage to copy",
};

/** The name that it has now; a node that is gone has none, and one that is shared is not there for a tenant. */
function NodeLink({ id }: { id: string }): ReactNode {
  const { tenant } = useMe();
  const node = useCall("getNode", { params: { id } }, { everyMs: 10 * 60_000 });
  if (node.error !== null) return <span className="muted">{tenant === null ? "Removed" : "Shared"}</span>;
  return <Link href={`/nodes/${id}`}>{node.data?.name ?? "…"}</Link>;
}

function Stages({ backup }: { backup: Backup }): ReactNode {
  const total = (Date.parse(backup.finished_at) - Date.parse(backup.started_at)) / 1000;
  return (
    <Panel title="Stages" aside={<span className="muted small">{duration(total)} in all</span>}>
      <ul className="plain-list">
        {backup.stages.map(({ name, seconds }) => (
          <li key={name}>
            <span>{STAGE_NAMES[name]}</span>
            <span className="muted">{duration(seconds)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
