// The first page: does anything need me? Then every site, found by typing.
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import { useCall, useList } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { filterRows, fleetRows, sortRows } from "../../lib/fleet-rows.ts";
import { count } from "../../lib/format.ts";
import { useNow } from "../../lib/use-now.ts";
import { useTitle } from "../../lib/use-title.ts";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Empty, Skeleton } from "../../ui/panel.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { AlertsNote } from "./alerts-note.tsx";
import { FleetCounts } from "./fleet-counts.tsx";
import { SitesTable } from "./sites-table.tsx";
import { StoragePanel } from "./storage-panel.tsx";
import { useFleetView } from "./use-fleet-view.ts";

/** Asking for fifty pages of sites again and again would be rude; the counts are asked for more often. */
const SITES_EVERY_MS = 60_000;
const COUNTS_EVERY_MS = 15_000;
/** The Master reads every backup's record for it. */
const STORAGE_EVERY_MS = 600_000;

export function FleetPage(): ReactNode {
  useTitle("Fleet");
  const [view, changeView] = useFleetView();
  const summary = useCall("getFleetSummary", {}, { everyMs: COUNTS_EVERY_MS });
  const maySeeStorage = useMay()("getStorageSummary");
  const storage = useCall(
    "getStorageSummary",
    { query: { top: 1 } },
    { everyMs: STORAGE_EVERY_MS, enabled: maySeeStorage },
  );
  const sites = useList("listSites", { pageSize: 200, all: true, everyMs: SITES_EVERY_MS });
  const nodes = useList("listNodes", { pageSize: 200, all: true, everyMs: SITES_EVERY_MS });
  const now = useNow();
  const nodeNames = useMemo(() => new Map(nodes.items.map(({ id, name }) => [id, name])), [nodes.items]);
  const rows = useMemo(() => fleetRows(sites.items, nodeNames, now), [sites.items, nodeNames, now]);
  const { sort, isReversed } = view;
  const sorted = useMemo(() => sortRows(rows, { sort, isReversed }), [rows, sort, isReversed]);
  const shown = useMemo(() => filterRows(sorted, view), [sorted, view]);
  const isEmpty = !sites.isPending && sites.items.length === 0 && sites.error === null;

  return (
    <>
      <div className="page-head">
        <h1>Fleet</h1>
      </div>
      <FleetCounts
        summary={summary.data}
        stored={maySeeStorage ? { bytes: storage.data?.total.bytes } : undefined}
        view={view}
        onChange={changeView}
      />
      <AlertsNote />
      <section className="panel sites" aria-label="Sites">
        <div className="panel-head">
          <SearchBox
            label="Search sites"
            placeholder="Search by site, node or path"
            value={view.search}
            onChange={(search) => changeView({ search })}
          />
          <span className="muted" role="status">
            {sites.isPending ? "Loading sites" : countText(shown.length, rows.length, sites.hasNextPage)}
          </span>
        </div>
        {sites.error === null ? null : <FaultNote fault={sites.error} onRetry={sites.refetch} />}
        {sites.isPending && sites.error === null ? <Skeleton rows={10} /> : null}
        {isEmpty ? <NoSites hasNodes={nodes.items.length > 0} /> : null}
        {rows.length > 0 ? <SitesTable rows={shown} view={view} onChange={changeView} now={now} /> : null}
        {rows.length > 0 && shown.length === 0 ? (
          <Empty title="No site matches">
            <button
              type="button"
              className="button plain"
              onClick={() => changeView({ search: "", health: undefined, isUnproved: false })}
            >
              Show all {rows.length}
            </button>
          </Empty>
        ) : null}
      </section>
      {maySeeStorage && rows.length > 0 ? <StoragePanel summary={storage.data} /> : null}
    </>
  );
}

function countText(shown: number, all: number, isLoading: boolean): string {
  const total = count(all, "site");
  return `${shown === all ? total : `${shown.toLocaleString("en")} of ${total}`}${isLoading ? ", loading more" : ""}`;
}

function NoSites({ hasNodes }: { hasNodes: boolean }): ReactNode {
  return (
    <Empty title="No site is protected yet">
      <p>
        {hasNodes
          ? "Your nodes have found sites: choose the ones to protect."
          : "Enrol the first node: it finds its WordPress sites by itself."}
      </p>
      <Link href="/nodes" className="button primary">
        {hasNodes ? "Choose sites" : "Enrol a node"}
      </Link>
    </Empty>
  );
}
