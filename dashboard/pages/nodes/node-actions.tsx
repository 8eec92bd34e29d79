// Disable a node that may be hacked, enable it again, or remove it for good.
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import type { Node } from "#shared/contracts/nodes.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";

export function NodeActions({ node, hasSites }: { node: Node; hasSites: boolean }): ReactNode {
  const params = { id: node.id };
  const [asking, setAsking] = useState<"disable" | "remove">();
  const [, navigate] = useLocation();
  const change = useChange("patchNode", ["getNode", "listNodes", "getFleetSummary"]);
  const remove = useChange("deleteNode", ["listNodes", "getFleetSummary"]);
  const close = (): void => setAsking(undefined);
  return (
    <>
      <div className="actions">
        <IfMay to="patchNode">
          {node.state === "active" ? (
            <Button onClick={() => setAsking("disable")}>Disable</Button>
          ) : (
            <Button
              busy={change.isPending}
              onClick={() => change.mutate({ params, body: { state: "active" } })}
            >
              Enable
            </Button>
          )}
        </IfMay>
        <IfMay to="deleteNode">
          <Button
            disabled={hasSites}
            title={hasSites ? "Remove its sites first; their backups stay" : undefined}
            onClick={() => setAsking("remove")}
          >
            Remove
          </Button>
        </IfMay>
      </div>
      {asking === undefined && change.error !== null ? <FaultNote fault={change.error} /> : null}
      {asking === "disable" ? (
        <ConfirmDialog
          title={`Disable ${node.name}?`}
          action="Disable"
          busy={change.isPending}
          fault={change.error}
          onClose={close}
          onConfirm={() => change.mutate({ params, body: { state: "disabled" } }, { onSuccess: close })}
        >
          <p>Its next call is refused and it makes no more backups until it is enabled again.</p>
        </ConfirmDialog>
      ) : null}
      {asking === "remove" ? (
        <ConfirmDialog
          title={`Remove ${node.name}?`}
          action="Remove"
          typed={node.name}
          busy={remove.isPending}
          fault={remove.error}
          onClose={close}
          onConfirm={() => remove.mutate({ params }, { onSuccess: () => navigate("/nodes") })}
        >
          <p>
            Its identity and its queue go for good; backups made by it stay. To come back it has to be
            enrolled anew.
          </p>
        </ConfirmDialog>
      ) : null}
    </>
  );
}
