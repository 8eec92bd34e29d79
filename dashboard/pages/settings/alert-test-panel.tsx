// Whether anybody would hear of trouble: a test message to every target, and what became of each.
import type { ReactNode } from "react";
import { useChange } from "../../api/hooks.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Panel } from "../../ui/panel.tsx";

export function AlertTestPanel(): ReactNode {
  const test = useChange("testAlerts", ["listActivity"]);
  return (
    <Panel
      title="Alerts"
      aside={
        <Button busy={test.isPending} onClick={() => test.mutate({})}>
          Send a test
        </Button>
      }
    >
      <div className="panel-body" role="status">
        {test.error === null ? null : <FaultNote fault={test.error} />}
        {test.data === undefined ? (
          <p className="muted">
            Sends a message to every place that alerts go to, and says which of them took it.
          </p>
        ) : (
          <Outcome targets={test.data.targets} />
        )}
      </div>
    </Panel>
  );
}

function Outcome({ targets }: { targets: readonly { name: string; error: string | null }[] }): ReactNode {
  if (targets.length === 0) return <p>Alerts go nowhere: no target is set up.</p>;
  return (
    <ul className="plain-list">
      {targets.map(({ name, error }) => (
        <li key={name}>
          <span>{name}</span>
          <Badge tone={error === null ? "good" : "bad"}>{error ?? "Taken"}</Badge>
        </li>
      ))}
    </ul>
  );
}
