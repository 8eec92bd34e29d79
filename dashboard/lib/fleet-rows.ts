// The fleet's table as data: which sites are shown and in what order. Pure, because ten thousand rows have to be
// filtered between two keystrokes, and because an order is easily got wrong.

import type { Site } from "#shared/contracts/sites.ts";
import { isUnproved, openHealthRule, SITE_HEALTHS, type SiteHealth } from "#shared/site-health.ts";
import { openNextRuns } from "./next-run.ts";

export interface FleetRow {
  readonly site: Site;
  readonly nodeName: string;
  readonly health: SiteHealth;
  readonly nextRun: Date | undefined;
  readonly isUnproved: boolean;
  /** What the search looks into, in small letters. */
  readonly searched: string;
}

export const SORTS = ["health", "name", "node", "last", "size", "next"] as const;
export type Sort = (typeof SORTS)[number];

export interface FleetView {
  readonly search: string;
  readonly health: SiteHealth | undefined;
  /** Only sites of which no backup is known to restore. */
  readonly isUnproved: boolean;
  readonly sort: Sort;
  readonly isReversed: boolean;
}

export function fleetRows(
  sites: readonly Site[],
  nodeNames: ReadonlyMap<string, string>,
  now: Date,
): FleetRow[] {
  const healthOf = openHealthRule();
  const nextRunOf = openNextRuns(now);
  return sites.map((site) => {
    const nodeName = nodeNames.get(site.node_id) ?? "";
    return {
      site,
      nodeName,
      health: healthOf(site, now),
      nextRun: nextRunOf(site),
      isUnproved: isUnproved(site, now),
      searched: `${site.name} ${nodeName} ${site.path}`.toLowerCase(),
    };
  });
}

export function showRows(rows: readonly FleetRow[], view: FleetView): FleetRow[] {
  return filterRows(sortRows(rows, view), view);
}

/** Apart from the filter, because an order does not change between two keystrokes. */
export function sortRows(
  rows: readonly FleetRow[],
  { sort, isReversed }: Pick<FleetView, "sort" | "isReversed">,
): FleetRow[] {
  const compare = COMPARE[sort];
  const direction = isReversed ? -1 : 1;
  return rows.toSorted((a, b) => direction * compare(a, b) || byName(a, b));
}

export function filterRows(rows: readonly FleetRow[], view: FleetView): FleetRow[] {
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(
    ({ health, searched, isUnproved: isUnprovedSite }) =>
      (view.health === undefined || health === view.health) &&
      (isUnprovedSite || !view.isUnproved) &&
      words.every((word) => searched.includes(word)),
  );
}

const SEVERITY = new Map<SiteHealth, number>(SITE_HEALTHS.map((health, at) => [health, at]));
const names = new Intl.Collator("en", { numeric: true });
const byName = (a: FleetRow, b: FleetRow): number => names.compare(a.site.name, b.site.name);
const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Each the way it is wanted first: what needs somebody, the newest, the largest, the soonest. */
const COMPARE: Readonly<Record<Sort, (a: FleetRow, b: FleetRow) => number>> = {
  health: (a, b) => (SEVERITY.get(a.health) ?? 0) - (SEVERITY.get(b.health) ?? 0),
  name: byName,
  node: (a, b) => names.compare(a.nodeName, b.nodeName),
  last: (a, b) => byText(b.site.last_backup_at ?? "", a.site.last_backup_at ?? ""),
  size: (a, b) => (b.site.last_backup_bytes ?? -1) - (a.site.last_backup_bytes ?? -1),
  next: (a, b) => soonness(a) - soonness(b),
};

/** Sites that never run come last; two of them are equal (Infinity minus itself is not a number). */
function soonness({ nextRun }: FleetRow): number {
  return nextRun?.getTime() ?? Number.MAX_SAFE_INTEGER;
}
