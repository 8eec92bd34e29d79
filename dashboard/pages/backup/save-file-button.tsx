// Saves one file of the archive; a large one comes in pieces, and the button says how far it is.
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { ArchiveFile } from "#shared/contracts/backup-files.ts";
import type { ApiFault } from "../../api/problem.ts";
import { bytes } from "../../lib/format.ts";
import { saveFile } from "../../lib/save-file.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";

export function SaveFileButton({ backupId, file }: { backupId: string; file: ArchiveFile }): ReactNode {
  const [got, setGot] = useState(0);
  const save = useMutation<void, ApiFault>({ mutationFn: () => saveFile(backupId, file.path, setGot) });
  const start = (): void => {
    setGot(0);
    save.mutate();
  };
  return (
    <>
      <Button
        look="ghost"
        icon="download"
        busy={save.isPending}
        title={save.isPending ? bytes(got) : "Download"}
        aria-label={`Download ${file.path}`}
        onClick={start}
      />
      {save.error === null ? null : (
        <Dialog title={`Download ${file.name}`} onClose={save.reset}>
          <div className="dialog-body">
            <FaultNote fault={save.error} onRetry={start} />
            <div className="dialog-actions">
              <Button onClick={save.reset}>Close</Button>
            </div>
          </div>
        </Dialog>
      )}
    </>
  );
}
