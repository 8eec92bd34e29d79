// Who changed what, newest first, in sentences.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Activity } from "#shared/contracts/activity.ts";
import { useList } from "../api/hooks.ts";
import { detailsInWords } from "../lib/activity-details.ts";
import { actionInWords, targetLink } from "../lib/activity-words.ts";
import { useTitle } from "../lib/use-title.ts";
import { Button } from "../ui/button.tsx";
import { FaultNote } from "../ui/fault-view.tsx";
import { Empty, Panel, Skeleton } from "../ui/panel.tsx";
import { Moment } from "../ui/time.tsx";

export function ActivityPage(): ReactNode {
  useTitle("Activity");
  const activity = useList("listActivity", { pageSize: 100, everyMs: 15_000 });
  return (
    <>
      <div className="page-head">
        <h1>Activity</h1>
      </div>
      <Panel title="Changes">
        {activity.error === null ? null : <FaultNote fault={activity.error} onRetry={activity.refetch} />}
        {activity.isPending && activity.error === null ? <Skeleton rows={8} /> : null}
        {!activity.isPending && activity.items.length === 0 ? (
          <Empty title="Nothing has been changed yet" />
        ) : null}
        {activity.items.length > 0 ? (
          <div className="table-scroll">
            <table>
              <thead>
                <tr>
                  <th>When</th>
                  <th>Who</th>
                  <th>What</th>
                  <th>Details</th>
                </tr>
              </thead>
              <tbody>
                {activity.items.map((item) => (
                  <ActivityRow key={item.id} item={item} />
                ))}
              </tbody>
            </table>
          </div>
        ) : null}
        {activity.hasNextPage ? (
          <div className="panel-body">
            <Button busy={activity.isFetchingNextPage} onClick={() => void activity.fetchNextPage()}>
              Show older changes
            </Button>
          </div>
        ) : null}
      </Panel>
    </>
  );
}

function ActivityRow({ item }: { item: Activity }): ReactNode {
  const href = targetLink(item);
  const words = actionInWords(item.action);
  return (
    <tr>
      <td className="nowrap">
        <Moment at={item.at} />
      </td>
      <td>
        {item.actor.label} <span className="muted">({item.actor.kind})</span>
      </td>
      <td>{href === undefined ? words : <Link href={href}>{words}</Link>}</td>
      <td className="muted details">
        {detailsInWords(item.details).map(([name, words]) => (
          <span key={name}>
            {name}: {words}
          </span>
        ))}
      </td>
    </tr>
  );
}
