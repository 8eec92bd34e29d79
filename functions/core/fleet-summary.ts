// The fleet's counts from its sites and nodes, as they are now.
import type { FleetSummary } from "#shared/contracts/fleet.ts";
import { isUnproved, openHealthRule } from "#shared/site-health.ts";
import type { NodeRecord, SiteRecord } from "./records.ts";
import { viewSite } from "./view.ts";

/** A node that missed this many heartbeats is silent. */
const SILENT_AFTER_BEATS = 3;

export function summarizeFleet(
  sites: readonly SiteRecord[],
  nodes: readonly NodeRecord[],
  now: Date,
  heartbeatSeconds: number,
): FleetSummary {
  const counts = { failing: 0, overdue: 0, unprotected: 0, protected: 0, paused: 0 };
  const healthOf = openHealthRule();
  for (const site of sites) counts[healthOf(viewSite(site), now)]++;
  const silentBefore = new Date(now.getTime() - SILENT_AFTER_BEATS * heartbeatSeconds * 1000).toISOString();
  const enabled = nodes.filter(({ state }) => state === "active");
  return {
    at: now.toISOString(),
    sites: {
      total: sites.length,
      ...counts,
      unproved: sites.filter((site) => isUnproved(viewSite(site), now)).length,
      running: sites.filter((site) => site.active_job_id !== undefined).length,
    },
    discovered_sites: countDiscovered(sites, nodes),
    nodes: {
      total: nodes.length,
      silent: enabled.filter((node) => (node.last_seen_at ?? node.created_at) < silentBefore).length,
      disabled: nodes.length - enabled.length,
    },
    newest_backups_bytes: sites.reduce((sum, site) => sum + (site.last_backup_bytes ?? 0), 0),
  };
}

function countDiscovered(sites: readonly SiteRecord[], nodes: readonly NodeRecord[]): number {
  const known = new Set(sites.map((site) => `${site.node_id} ${site.path}`));
  const found = nodes.flatMap((node) =>
    (node.discovered_sites ?? []).map(({ path }) => `${node.id} ${path}`),
  );
  return found.filter((place) => !known.has(place)).length;
}
