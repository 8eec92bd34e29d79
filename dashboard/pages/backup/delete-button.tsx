// Deletes one backup, by its site's name.
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import type { Backup } from "#shared/contracts/backups.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";

export function DeleteButton({ backup }: { backup: Backup }): ReactNode {
  const [isAsking, setIsAsking] = useState(false);
  const [, navigate] = useLocation();
  const remove = useChange("deleteBackup", ["listBackups", "getSiteQuotaStatus"]);
  return (
    <IfMay to="deleteBackup">
      <Button
        disabled={backup.hold !== null}
        title={backup.hold === null ? undefined : "It is on hold: lift that first"}
        onClick={() => setIsAsking(true)}
      >
        Delete
      </Button>
      {isAsking ? (
        <ConfirmDialog
          title="Delete this backup?"
          action="Delete backup"
          typed={backup.site_name}
          busy={remove.isPending}
          fault={remove.error}
          onClose={() => setIsAsking(false)}
          onConfirm={() =>
            remove.mutate(
              { params: { id: backup.id } },
              { onSuccess: () => navigate(`/sites/${backup.site_id}`) },
            )
          }
        >
          <p>
            No other backup depends on it. Where the bucket keeps versions, it can be brought back from there
            for a while.
          </p>
        </ConfirmDialog>
      ) : null}
    </IfMay>
  );
}
