// The way back: what, where, a look at what would happen, the site's name as confirmation, progress, and undo.
import { type ReactNode, useState } from "react";
import type { Backup } from "#shared/contracts/backups.ts";
import { useChange } from "../../api/hooks.ts";
import { isComplete, isInPlace, type RestoreDraft, restoreOrder } from "../../lib/restore-order.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { TextField } from "../../ui/field.tsx";
import { JobWatch } from "../../ui/job-watch.tsx";
import { RestoreFields } from "./restore-fields.tsx";
import { RestoreOutcome } from "./restore-outcome.tsx";

interface RestoreDialogProps {
  readonly backup: Backup;
  /** Ticked in the file list. */
  readonly paths: readonly string[];
  readonly onClose: () => void;
}

export function RestoreDialog({ backup, paths, onClose }: RestoreDialogProps): ReactNode {
  const [draft, setDraft] = useState<RestoreDraft>({
    what: paths.length > 0 ? "paths" : "all",
    paths,
    where: "site",
    directory: "",
    newUrl: "",
  });
  const [typed, setTyped] = useState("");
  const start = useChange("restoreBackup", ["listJobs", "getBackupStatus"]);
  const run = (isDryRun: boolean): void =>
    start.mutate({ params: { id: backup.id }, body: restoreOrder(draft, isDryRun) });
  const isReady = isComplete(draft) && (!isInPlace(draft) || typed === backup.site_name);

  if (start.data !== undefined) {
    const wasDryRun = start.variables?.body.dry_run === true;
    return (
      <Dialog title={wasDryRun ? "What would happen" : `Restoring ${backup.site_name}`} onClose={onClose}>
        <div className="dialog-body">
          <JobWatch jobId={start.data.job_id}>{(job) => <RestoreOutcome job={job} />}</JobWatch>
          <div className="dialog-actions">
            <Button onClick={() => start.reset()}>Back</Button>
            <Button look="primary" onClick={onClose}>
              Close
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={`Restore ${backup.site_name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) run(false);
        }}
      >
        <RestoreFields draft={draft} onChange={setDraft} fault={start.error} />
        {isInPlace(draft) ? (
          <TextField
            label={`This replaces what the site has now. Type ${backup.site_name} to confirm`}
            value={typed}
            onChange={setTyped}
            autoComplete="off"
            spellCheck={false}
          />
        ) : null}
        {start.error === null ? null : <FaultNote fault={start.error} />}
        <DialogActions onClose={onClose}>
          <Button busy={start.isPending} disabled={!isComplete(draft)} onClick={() => run(true)}>
            See what would happen
          </Button>
          <Button type="submit" look="danger" busy={start.isPending} disabled={!isReady}>
            Restore
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
