// One site: is it protected, what is happening now, and every backup there is of it.
import type { ReactNode } from "react";
import { useCall, useList } from "../../api/hooks.ts";
import { useTitle } from "../../lib/use-title.ts";
import { FaultNote, FaultPage } from "../../ui/fault-view.tsx";
import { Skeleton } from "../../ui/panel.tsx";
import { BackupsPanel } from "./backups-panel.tsx";
import { ChartsPanel } from "./charts-panel.tsx";
import { CurrentJob } from "./current-job.tsx";
import { JobsPanel } from "./jobs-panel.tsx";
import { SiteFacts } from "./site-facts.tsx";
import { SiteHead } from "./site-head.tsx";
import { useBackupStatus } from "./use-backup-status.ts";

export function SitePage({ id }: { id: string }): ReactNode {
  const site = useCall("getSite", { params: { id } }, { everyMs: 15_000 });
  const status = useBackupStatus(id);
  const backups = useList("listBackups", { query: { site_id: id }, everyMs: 30_000 });
  useTitle(site.data?.name ?? "Site");
  // Drawn once: each of the three would push the others down if it came later. What fails is shown in its place.
  if (site.data === undefined || status.isPending || backups.isPending) {
    return site.error === null ? (
      <Skeleton rows={10} />
    ) : (
      <FaultPage fault={site.error} onRetry={site.refetch} />
    );
  }
  return (
    <>
      <SiteHead site={site.data} active={status.data?.active ?? null} tab="overview" />
      {status.error === null ? null : <FaultNote fault={status.error} onRetry={status.refetch} />}
      <CurrentJob active={status.data?.active ?? null} last={status.data?.last ?? null} />
      <SiteFacts site={site.data} />
      <BackupsPanel backups={backups} site={site.data} />
      <ChartsPanel backups={backups.items} />
      <JobsPanel siteId={id} />
    </>
  );
}
