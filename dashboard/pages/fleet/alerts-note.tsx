// What the watch has told people and is not over: the same words as in the mail, with a link to the place.
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Alert } from "#shared/contracts/alerts.ts";
import { useCall } from "../../api/hooks.ts";
import { count } from "../../lib/format.ts";
import { Ago } from "../../ui/time.tsx";

export function AlertsNote(): ReactNode {
  const alerts = useCall("listAlerts", {}, { everyMs: 60_000 });
  const items = alerts.data?.items ?? [];
  // Of one height whatever the answer is, so that nothing below jumps when it comes.
  return (
    <details className="alerts">
      <summary className={items.length === 0 ? "muted" : "warn-text"}>
        {alerts.data === undefined ? "Looking for alerts" : headlineOf(items)}
      </summary>
      <ul className="plain-list">
        {items.map((alert) => (
          <li key={alert.key}>
            <Link href={hrefOf(alert)}>{alert.text}</Link>
            <span className="muted nowrap">
              <Ago at={alert.opened_at} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function headlineOf([newest, ...others]: readonly Alert[]): string {
  if (newest === undefined) return "No alert is open";
  return others.length === 0
    ? newest.text
    : `${count(others.length + 1, "open alert")}, the newest: ${newest.text}`;
}

function hrefOf({ target }: Alert): string {
  return target.kind === "site" ? `/sites/${target.id}` : `/nodes/${target.id}`;
}
