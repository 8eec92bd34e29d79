// The site's name and state with what can be done about it, above both of its pages.
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import type { Job } from "#shared/contracts/jobs.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { isUnproved, openHealthRule } from "#shared/site-health.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { useNow } from "../../lib/use-now.ts";
import { Badge, HealthBadge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";

interface SiteHeadProps {
  readonly site: Site;
  readonly active: Job | null;
  readonly tab: "overview" | "settings";
}

export function SiteHead({ site, active, tab }: SiteHeadProps): ReactNode {
  const now = useNow();
  const home = `/sites/${site.id}`;
  return (
    <>
      <div className="page-head">
        <nav className="crumbs" aria-label="Where this is">
          <Link href="/">Fleet</Link> / {site.name}
        </nav>
        <h1>{site.name}</h1>
        <HealthBadge health={openHealthRule()(site, now)} />
        {isUnproved(site, now) ? <Badge tone="quiet">Not proved</Badge> : null}
        <BackupButtons site={site} active={active} />
      </div>
      <nav className="tabs" aria-label="Of this site">
        <Link href={home} aria-current={tab === "overview" ? "page" : undefined}>
          Overview
        </Link>
        <Link href={`${home}/settings`} aria-current={tab === "settings" ? "page" : undefined}>
          Settings
        </Link>
      </nav>
    </>
  );
}

function BackupButtons({ site, active }: Omit<SiteHeadProps, "tab">): ReactNode {
  const params = { id: site.id };
  const start = useChange("startBackup", ["getBackupStatus", "listJobs"]);
  const stop = useChange("cancelJob", ["getBackupStatus", "listJobs"]);
  const [isFull, setIsFull] = useState(false);
  const fault = start.error ?? stop.error;
  return (
    <>
      <div className="actions">
        {site.last_backup_id === null ? null : (
          <IfMay to="restoreBackup">
            <Link href={`/backups/${site.last_backup_id}?restore`} className="button">
              Restore latest
            </Link>
          </IfMay>
        )}
        {active === null ? (
          <IfMay to="startBackup">
            <label
              className="check small muted"
              title="Packs and sends everything anew instead of copying what has not changed inside the storage"
            >
              <input type="checkbox" checked={isFull} onChange={(event) => setIsFull(event.target.checked)} />
              Pack everything anew
            </label>
            <Button
              look="primary"
              icon="play"
              busy={start.isPending}
              disabled={site.state === "paused"}
              title={site.state === "paused" ? "Resume the site first: Settings" : undefined}
              onClick={() => start.mutate({ params, body: { full: isFull } })}
            >
              Back up now
            </Button>
          </IfMay>
        ) : (
          <IfMay to="cancelJob">
            <Button
              icon="stop"
              busy={stop.isPending || active.cancel_requested}
              onClick={() => stop.mutate({ params: { id: active.id } })}
            >
              {active.cancel_requested ? "Stopping" : "Stop"}
            </Button>
          </IfMay>
        )}
      </div>
      {fault === null ? null : <FaultNote fault={fault} />}
    </>
  );
}
