// Puts back what the site's last restore replaced.
import { type ReactNode, useState } from "react";
import { useChange } from "../api/hooks.ts";
import { IfMay } from "../api/role.tsx";
import { Button } from "./button.tsx";
import { ConfirmDialog } from "./confirm-dialog.tsx";
import { Dialog } from "./dialog.tsx";
import { JobWatch } from "./job-watch.tsx";

export function UndoButton({ siteId, siteName }: { siteId: string; siteName: string }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const undo = useChange("undoRestore", ["listJobs", "getBackupStatus"]);
  const close = (): void => {
    setIsOpen(false);
    undo.reset();
  };
  return (
    <IfMay to="undoRestore">
      <Button onClick={() => setIsOpen(true)}>Undo this restore</Button>
      {isOpen && undo.data === undefined ? (
        <ConfirmDialog
          title={`Undo the restore of ${siteName}?`}
          action="Undo"
          typed={siteName}
          busy={undo.isPending}
          fault={undo.error}
          onClose={close}
          onConfirm={() => undo.mutate({ params: { id: siteId }, body: {} })}
        >
          <p>The site becomes again what it was before the restore. What was changed since then is lost.</p>
        </ConfirmDialog>
      ) : null}
      {isOpen && undo.data !== undefined ? (
        <Dialog title="Undoing the restore" onClose={close}>
          <div className="dialog-body">
            <JobWatch jobId={undo.data.job_id}>
              {() => <p>The site is as it was before the restore.</p>}
            </JobWatch>
            <div className="dialog-actions">
              <Button onClick={close}>Close</Button>
            </div>
          </div>
        </Dialog>
      ) : null}
    </IfMay>
  );
}
