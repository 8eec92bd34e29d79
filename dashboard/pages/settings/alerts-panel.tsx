// Where alerts go, and whether anybody would hear of trouble: each place can be tested by itself, or all at once.
import { type ReactNode, useState } from "react";
import type { AlertTarget } from "#shared/contracts/alert-targets.ts";
import { type Change, useCall, useChange } from "../../api/hooks.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Empty, Panel, Skeleton } from "../../ui/panel.tsx";
import { AlertTargetDialog } from "./alert-target-dialog.tsx";

export function AlertsPanel(): ReactNode {
  const targets = useCall("listAlertTargets", {});
  const testAll = useChange("testAlerts", ["listActivity"]);
  const [isAdding, setIsAdding] = useState(false);
  const [removing, setRemoving] = useState<AlertTarget>();
  const items = targets.data?.items ?? [];
  return (
    <Panel
      title="Alerts"
      aside={
        <span className="actions">
          <Button busy={testAll.isPending} onClick={() => testAll.mutate({})}>
            Test all
          </Button>
          <Button icon="plus" onClick={() => setIsAdding(true)}>
            Add target
          </Button>
        </span>
      }
    >
      {targets.error === null ? null : <FaultNote fault={targets.error} onRetry={targets.refetch} />}
      {targets.isPending && targets.error === null ? <Skeleton rows={2} /> : null}
      {targets.data !== undefined && items.length === 0 ? (
        <Empty title="Alerts go nowhere">
          <p>Add a chat's webhook or an e-mail address, so that somebody hears of trouble.</p>
        </Empty>
      ) : null}
      {items.length === 0 ? null : (
        <ul className="plain-list">
          {items.map((target) => (
            <Target key={target.id} target={target} onRemove={() => setRemoving(target)} />
          ))}
        </ul>
      )}
      <div role="status">
        <AllTested test={testAll} />
      </div>
      {isAdding ? <AlertTargetDialog onClose={() => setIsAdding(false)} /> : null}
      {removing === undefined ? null : (
        <RemoveDialog target={removing} onClose={() => setRemoving(undefined)} />
      )}
    </Panel>
  );
}

function Target({ target, onRemove }: { target: AlertTarget; onRemove: () => void }): ReactNode {
  const test = useChange("testAlertTarget", ["listActivity"]);
  const { id, kind, name } = target;
  const error = test.data?.error ?? test.error?.message ?? null;
  return (
    <li>
      <span>
        {name} {target.is_signed ? <span className="muted">(signed)</span> : null}
      </span>
      <span className="actions" role="status">
        {test.data === undefined && test.error === null ? null : (
          <Badge tone={error === null ? "good" : "bad"}>{error ?? "Taken"}</Badge>
        )}
        <Button
          look="ghost"
          aria-label={`Test ${name}`}
          busy={test.isPending}
          onClick={() => test.mutate({ params: { id } })}
        >
          Test
        </Button>
        {kind === "topic" ? null : (
          <Button look="ghost" aria-label={`Remove ${name}`} onClick={onRemove}>
            Remove
          </Button>
        )}
      </span>
    </li>
  );
}

function AllTested({ test }: { test: Change<"testAlerts"> }): ReactNode {
  if (test.error !== null) return <FaultNote fault={test.error} />;
  if (test.data === undefined) return null;
  const failed = test.data.targets.filter(({ error }) => error !== null);
  const told = test.data.targets.length - failed.length;
  return (
    <div className="panel-body">
      <p>
        {told} of {test.data.targets.length} took the test.
      </p>
      {failed.map(({ name, error }) => (
        <p key={name} className="bad">
          {name}: {error}
        </p>
      ))}
    </div>
  );
}

function RemoveDialog({ target, onClose }: { target: AlertTarget; onClose: () => void }): ReactNode {
  const remove = useChange("deleteAlertTarget", ["listAlertTargets"]);
  return (
    <ConfirmDialog
      title={`Remove ${target.name}?`}
      action="Remove"
      busy={remove.isPending}
      fault={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { id: target.id } }, { onSuccess: onClose })}
    >
      <p>Its address is forgotten: to add it again you need it.</p>
    </ConfirmDialog>
  );
}
