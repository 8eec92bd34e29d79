// Everything about a site that an operator decides.
import type { ReactNode } from "react";
import { useCall } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { useTitle } from "../../lib/use-title.ts";
import { FaultPage } from "../../ui/fault-view.tsx";
import { Skeleton } from "../../ui/panel.tsx";
import { ExcludePanel } from "./exclude-panel.tsx";
import { PlacePanel } from "./place-panel.tsx";
import { ProofPanel } from "./proof-panel.tsx";
import { QuotaPanel } from "./quota-panel.tsx";
import { RemovePanel } from "./remove-panel.tsx";
import { RetentionPanel } from "./retention-panel.tsx";
import { SchedulePanel } from "./schedule-panel.tsx";
import { SiteHead } from "./site-head.tsx";
import { StorageChoicePanel } from "./storage-panel.tsx";
import { useBackupStatus } from "./use-backup-status.ts";

export function SiteSettingsPage({ id }: { id: string }): ReactNode {
  const may = useMay();
  const site = useCall("getSite", { params: { id } });
  const status = useBackupStatus(id);
  useTitle(site.data === undefined ? "Site" : `${site.data.name} settings`);
  if (site.data === undefined) {
    return site.error === null ? (
      <Skeleton rows={10} />
    ) : (
      <FaultPage fault={site.error} onRetry={site.refetch} />
    );
  }
  return (
    <>
      <SiteHead site={site.data} active={status.data?.active ?? null} tab="settings" />
      <SchedulePanel site={site.data} />
      <RetentionPanel site={site.data} />
      <div className="columns">
        <ProofPanel site={site.data} />
        <QuotaPanel site={site.data} />
        <ExcludePanel site={site.data} />
        <PlacePanel site={site.data} />
        {may("listStorageProviders") ? <StorageChoicePanel site={site.data} /> : null}
        <RemovePanel site={site.data} />
      </div>
    </>
  );
}
