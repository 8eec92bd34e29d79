// Every site of the fleet in one list of which only the visible rows exist: ten thousand scroll like ten.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { Link } from "wouter";
import type { FleetRow, FleetView, Sort } from "../../lib/fleet-rows.ts";
import { bytes } from "../../lib/format.ts";
import { Badge, HealthBadge } from "../../ui/badge.tsx";
import { DayGrid } from "../../ui/day-grid.tsx";
import { Ago } from "../../ui/time.tsx";

const ROW_PX = 40;
const HEADER_PX = 82;

const COLUMNS: readonly (readonly [sort: Sort | undefined, name: string, className: string])[] = [
  ["name", "Site", ""],
  ["health", "State", ""],
  ["node", "Node", "col-node"],
  [undefined, "Last 30 days", "col-days"],
  ["last", "Last", ""],
  ["size", "Size", "col-size num"],
  ["next", "Next", "col-next num"],
];

interface SitesTableProps {
  readonly rows: readonly FleetRow[];
  readonly view: FleetView;
  readonly onChange: (change: Partial<FleetView>) => void;
  readonly now: Date;
}

export function SitesTable({ rows, view, onChange, now }: SitesTableProps): ReactNode {
  const body = useRef<HTMLTableSectionElement>(null);
  const [offset, setOffset] = useState(0);
  useLayoutEffect(() => setOffset(body.current?.offsetTop ?? 0), []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollMargin: offset,
    scrollPaddingStart: HEADER_PX,
  });
  const today = now.toISOString().slice(0, 10);
  const focusRow = (at: number): void => {
    if (at < 0 || at >= rows.length) return;
    virtual.scrollToIndex(at);
    const find = (): HTMLElement | null | undefined =>
      body.current?.querySelector<HTMLElement>(`[data-row="${at}"]`);
    const row = find();
    if (row) row.focus({ preventScroll: true });
    // One that was out of sight exists once the list has scrolled to it.
    else requestAnimationFrame(() => find()?.focus({ preventScroll: true }));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15 }[event.key];
    const at = Number((event.target as HTMLElement).dataset["row"]);
    if (step === undefined || Number.isNaN(at)) return;
    event.preventDefault();
    focusRow(Math.max(0, Math.min(rows.length - 1, at + step)));
  };

  return (
    <table className="sites-table" aria-rowcount={rows.length + 1}>
      <SitesHead view={view} onChange={onChange} />
      <tbody ref={body} style={{ blockSize: virtual.getTotalSize() }} onKeyDown={onKeyDown}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row === undefined ? null : (
            <SiteRow key={row.site.id} row={row} at={index} top={start - offset} today={today} />
          );
        })}
      </tbody>
    </table>
  );
}

function SitesHead({ view, onChange }: Pick<SitesTableProps, "view" | "onChange">): ReactNode {
  return (
    <thead>
      <tr aria-rowindex={1}>
        {COLUMNS.map(([sort, name, className]) => {
          const isSorted = sort === view.sort;
          const order = isSorted ? (view.isReversed ? "descending" : "ascending") : undefined;
          return (
            <th key={name} className={className} aria-sort={order} scope="col">
              {sort === undefined ? (
                name
              ) : (
                <button
                  type="button"
                  onClick={() => onChange({ sort, isReversed: isSorted && !view.isReversed })}
                >
                  {name} {isSorted ? (view.isReversed ? "↓" : "↑") : ""}
                </button>
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

interface SiteRowProps {
  readonly row: FleetRow;
  readonly at: number;
  readonly top: number;
  readonly today: string;
}

function SiteRow({ row: { site, health, nodeName, nextRun }, at, top, today }: SiteRowProps): ReactNode {
  return (
    <tr aria-rowindex={at + 2} style={{ transform: `translateY(${top}px)` }}>
      <td>
        <Link href={`/sites/${site.id}`} className="site-name" data-row={at}>
          {site.name}
        </Link>
      </td>
      <td>
        {site.active_job_id === null ? (
          <HealthBadge health={health} />
        ) : (
          <Badge tone="busy">Backing up</Badge>
        )}
      </td>
      <td className="col-node muted">{nodeName}</td>
      <td className="col-days">
        <DayGrid site={site} today={today} />
      </td>
      <td>{site.last_backup_at === null ? <Never /> : <Ago at={site.last_backup_at} />}</td>
      <td className="col-size num">{site.last_backup_bytes === null ? "" : bytes(site.last_backup_bytes)}</td>
      <td className="col-next num muted">{nextRun === undefined ? "" : <Ago at={nextRun} />}</td>
    </tr>
  );
}

function Never(): ReactNode {
  return <span className="muted">never</span>;
}
