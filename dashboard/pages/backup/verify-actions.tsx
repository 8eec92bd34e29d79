// Asks the node to read a backup back, or to prove that it restores; and shows what it found.
import { type ReactNode, useState } from "react";
import type { Backup } from "#shared/contracts/backups.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { count, duration } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { JobWatch } from "../../ui/job-watch.tsx";

export function VerifyActions({ backup }: { backup: Backup }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const verify = useChange("verifyBackup", ["listJobs", "getBackupStatus"]);
  const start = (deep: boolean): void => {
    setIsOpen(true);
    verify.mutate({ params: { id: backup.id }, body: { deep } });
  };
  const isDeep = verify.variables?.body.deep === true;
  return (
    <IfMay to="verifyBackup">
      <Button onClick={() => start(false)} title="Reads everything back and checks every hash">
        Verify
      </Button>
      <Button
        icon="shield"
        onClick={() => start(true)}
        title="Imports the database into a throw-away server and compares everything"
      >
        Prove
      </Button>
      {isOpen ? (
        <Dialog
          title={isDeep ? "Proving this backup" : "Verifying this backup"}
          onClose={() => setIsOpen(false)}
        >
          <div className="dialog-body">
            {verify.error === null ? null : <FaultNote fault={verify.error} onRetry={() => start(isDeep)} />}
            {verify.data === undefined ? null : <JobWatch jobId={verify.data.job_id}>{foundText}</JobWatch>}
            <div className="dialog-actions">
              <Button onClick={() => setIsOpen(false)}>Close</Button>
            </div>
            <p className="muted small">It goes on when this is closed.</p>
          </div>
        </Dialog>
      ) : null}
    </IfMay>
  );
}

function foundText({ result }: Job): ReactNode {
  const found = result?.verify;
  if (found === undefined) return <p>Nothing wrong was found.</p>;
  return (
    <>
      <p>
        <strong>{found.deep ? "Proved: it restores." : "Nothing wrong was found."}</strong>
      </p>
      <p>
        {count(found.frames, "frame")} and {count(found.entries, "entry", "entries")} checked
        {found.rows === null
          ? ""
          : `, ${count(found.rows, "row")} in ${count(found.tables, "table")} imported`}
        .{found.restore_seconds === null ? "" : ` A whole restore took ${duration(found.restore_seconds)}.`}
      </p>
    </>
  );
}
