// The end of a site's protection. Its backups stay.
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import type { Site } from "#shared/contracts/sites.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";
import { Panel } from "../../ui/panel.tsx";

export function RemovePanel({ site }: { site: Site }): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const [, navigate] = useLocation();
  const remove = useChange("deleteSite", ["listSites", "getFleetSummary", "listNodes"]);
  return (
    <IfMay to="deleteSite">
      <Panel title="Remove">
        <div className="panel-body">
          <p>Stops protecting {site.name}: no more backups are made. The ones there are stay.</p>
          <div className="actions">
            <Button look="danger" onClick={() => setIsAsking(true)}>
              Remove site
            </Button>
          </div>
        </div>
      </Panel>
      {isAsking ? (
        <ConfirmDialog
          title={`Remove ${site.name}?`}
          action="Remove site"
          typed={site.name}
          busy={remove.isPending}
          fault={remove.error}
          onClose={() => setIsAsking(false)}
          onConfirm={() => remove.mutate({ params: { id: site.id } }, { onSuccess: () => navigate("/") })}
        >
          <p>
            It is no longer backed up from now on. Its schedule goes; its backups stay and can be restored.
          </p>
        </ConfirmDialog>
      ) : null}
    </IfMay>
  );
}
