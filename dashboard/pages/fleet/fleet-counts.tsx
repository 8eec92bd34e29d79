// The fleet in a row of numbers. Each is also the filter that shows the sites it counts.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { FleetSummary } from "#shared/contracts/fleet.ts";
import type { SiteHealth } from "#shared/site-health.ts";
import type { FleetView } from "../../lib/fleet-rows.ts";
import { bytes } from "../../lib/format.ts";
import { HealthBadge } from "../../ui/badge.tsx";

const SHOWN: readonly SiteHealth[] = ["failing", "overdue", "unprotected", "protected"];

interface FleetCountsProps {
  readonly summary: FleetSummary | undefined;
  /** Of all backups; undefined for those who are not told: they see how large the newest ones are. */
  readonly stored: { readonly bytes: number | undefined } | undefined;
  readonly view: FleetView;
  readonly onChange: (change: Partial<FleetView>) => void;
}

export function FleetCounts({ summary, stored, view, onChange }: FleetCountsProps): ReactNode {
  const sum = stored === undefined ? summary?.newest_backups_bytes : stored.bytes;
  const healths = summary !== undefined && summary.sites.paused > 0 ? [...SHOWN, "paused" as const] : SHOWN;
  return (
    <section className="counts" aria-label="Fleet at a glance">
      {healths.map((health) => (
        <button
          key={health}
          type="button"
          className={summary?.sites[health] === 0 ? "count zero" : "count"}
          aria-pressed={view.health === health}
          onClick={() => onChange({ health: view.health === health ? undefined : health })}
        >
          <HealthBadge health={health} />
          <b>{summary === undefined ? "–" : summary.sites[health].toLocaleString("en")}</b>
        </button>
      ))}
      <button
        type="button"
        className={summary?.sites.unproved === 0 ? "count zero" : "count"}
        aria-pressed={view.isUnproved}
        title="No backup of theirs was proved to restore in the last 31 days"
        onClick={() => onChange({ isUnproved: !view.isUnproved })}
      >
        <span className="muted">Unproved</span>
        <b>{summary?.sites.unproved.toLocaleString("en") ?? "–"}</b>
      </button>
      <Link href="/nodes" className={summary?.discovered_sites === 0 ? "count zero" : "count"}>
        <span className="muted">Found sites</span>
        <b>{summary?.discovered_sites.toLocaleString("en") ?? "–"}</b>
      </Link>
      <Link href="/nodes" className={summary?.nodes.silent === 0 ? "count zero" : "count"}>
        <span className="muted">Silent nodes</span>
        <b>{summary === undefined ? "–" : `${summary.nodes.silent} of ${summary.nodes.total}`}</b>
      </Link>
      <div className="count">
        <span className="muted">{stored === undefined ? "Newest backups" : "Stored in all"}</span>
        <b>{sum === undefined ? "–" : bytes(sum)}</b>
      </div>
    </section>
  );
}
