// Keeps a backup from everything that deletes, until somebody lifts it.
import { type ReactNode, useState } from "react";
import type { Backup } from "#shared/contracts/backups.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { TextField } from "../../ui/field.tsx";

export function HoldButton({ backup }: { backup: Backup }): ReactNode {
  const params = { id: backup.id };
  const hold = useChange("putBackupHold", ["getBackup", "listBackups"]);
  const [isOpen, setIsOpen] = useState(false);
  const [reason, setReason] = useState("");
  const put = (held: boolean): void => {
    const why = held && reason.trim() !== "" ? { reason } : {};
    hold.mutate({ params, body: { held, ...why } }, { onSuccess: () => setIsOpen(false) });
  };
  return (
    <IfMay to="putBackupHold">
      <Button icon="lock" onClick={() => setIsOpen(true)}>
        {backup.hold === null ? "Hold" : "Lift hold"}
      </Button>
      {isOpen ? (
        <Dialog
          title={backup.hold === null ? "Hold this backup" : "Lift the hold"}
          onClose={() => setIsOpen(false)}
        >
          <form
            onSubmit={(event) => {
              event.preventDefault();
              put(backup.hold === null);
            }}
          >
            {backup.hold === null ? (
              <>
                <p>Neither retention nor anybody deletes it until the hold is lifted.</p>
                <TextField
                  label="Why"
                  value={reason}
                  onChange={setReason}
                  placeholder="Optional"
                  maxLength={120}
                />
              </>
            ) : (
              <p>
                {backup.hold.by} put it on hold{backup.hold.reason === null ? "" : `: ${backup.hold.reason}`}.
                After this, retention may delete it.
              </p>
            )}
            {hold.error === null ? null : <FaultNote fault={hold.error} />}
            <DialogActions onClose={() => setIsOpen(false)}>
              <Button type="submit" look="primary" busy={hold.isPending}>
                {backup.hold === null ? "Hold" : "Lift hold"}
              </Button>
            </DialogActions>
          </form>
        </Dialog>
      ) : null}
    </IfMay>
  );
}
