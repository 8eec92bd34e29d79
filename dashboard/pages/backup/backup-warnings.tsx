// What a backup had to leave out or could not make sure of.
import type { ReactNode } from "react";
import type { Backup } from "#shared/contracts/backups.ts";
import { Empty, Panel } from "../../ui/panel.tsx";

export function BackupWarnings({
  backup: { warnings, warnings_total: total, origin },
}: {
  backup: Backup;
}): ReactNode {
  return (
    <Panel title="Warnings" aside={<span className="muted small">{total}</span>}>
      {origin === "index" ? (
        <p className="panel-body muted">
          No report came: this backup was recorded from its archive's own index, and nothing is known of
          warnings.
        </p>
      ) : null}
      {warnings.length === 0 && origin === "report" ? <Empty title="None" /> : null}
      <ul className="plain-list">
        {warnings.map(({ code, message }) => (
          <li key={`${code} ${message}`}>
            <span>{message}</span>
            <code className="muted">{code}</code>
          </li>
        ))}
      </ul>
      {total > warnings.length ? (
        <p className="panel-body muted">
          The first {warnings.length} of {total}.
        </p>
      ) : null}
    </Panel>
  );
}
