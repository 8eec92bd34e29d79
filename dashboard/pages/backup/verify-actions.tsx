// Asks the node to read a backup back, or to prove that it restores; and shows what it found.
import { type ReactNode, useState } from "react";
import type { Backup } from "#shared/contracts/backups.ts";
import type { Job } from "#shared/contracts/jobs.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { bootInWords, checkedInWords } from "../../lib/proof-words.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { JobWatch } from "../../ui/job-watch.tsx";
import { ProveDialog } from "./prove-dialog.tsx";

interface Order {
  readonly deep: boolean;
  readonly boot: boolean;
}

const READ_BACK: Order = { deep: false, boot: false };

export function VerifyActions({ backup }: { backup: Backup }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  /** Undefined while it is asked for. */
  const [order, setOrder] = useState<Order>();
  const verify = useChange("verifyBackup", ["listJobs", "getBackupStatus"]);
  const start = (wanted: Order): void => {
    setOrder(wanted);
    setIsOpen(true);
    verify.mutate({ params: { id: backup.id }, body: { ...wanted } });
  };
  const ask = (): void => {
    setOrder(undefined);
    setIsOpen(true);
    verify.reset();
  };
  const close = (): void => setIsOpen(false);
  return (
    <IfMay to="verifyBackup">
      <Button onClick={() => start(READ_BACK)} title="Reads everything back and checks every hash">
        Verify
      </Button>
      <Button
        icon="shield"
        onClick={ask}
        title="Imports the database into a throw-away server and compares everything"
      >
        Prove
      </Button>
      {isOpen && order === undefined ? (
        <ProveDialog
          siteId={backup.site_id}
          onStart={(boot) => start({ deep: true, boot })}
          onClose={close}
        />
      ) : null}
      {isOpen && order !== undefined ? (
        <Dialog title={order.deep ? "Proving this backup" : "Verifying this backup"} onClose={close}>
          <div className="dialog-body">
            {verify.error === null ? null : <FaultNote fault={verify.error} onRetry={() => start(order)} />}
            {verify.data === undefined ? null : (
              <JobWatch jobId={verify.data.job_id}>{(job) => <Found job={job} />}</JobWatch>
            )}
            <div className="dialog-actions">
              <Button onClick={close}>Close</Button>
            </div>
            <p className="muted small">It goes on when this is closed.</p>
          </div>
        </Dialog>
      ) : null}
    </IfMay>
  );
}

function Found({ job: { result, warnings } }: { job: Job }): ReactNode {
  const found = result?.verify;
  if (found === undefined) return <p>Nothing wrong was found.</p>;
  const boot = bootInWords(found);
  return (
    <>
      <p>
        <strong>{found.deep ? "Proved: it restores." : "Nothing wrong was found."}</strong>
      </p>
      <p>{checkedInWords(found)}</p>
      {boot === undefined ? null : <p>{boot}</p>}
      {warnings.map(({ code, message }) => (
        <p key={`${code} ${message}`}>{message}</p>
      ))}
    </>
  );
}
