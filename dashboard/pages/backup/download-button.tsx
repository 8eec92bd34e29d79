// The whole archive by a presigned link: the browser fetches it from the storage itself, and the stock commands that
// unpack it are beside it.
import { type ReactNode, useState } from "react";
import type { Backup, Download } from "#shared/contracts/backups.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { bytes } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";

export function DownloadButton({ backup }: { backup: Backup }): ReactNode {
  const [isOpen, setIsOpen] = useState(false);
  const make = useChange("downloadBackup", []);
  const params = { id: backup.id };
  return (
    <IfMay to="downloadBackup">
      <Button
        icon="download"
        onClick={() => {
          setIsOpen(true);
          make.mutate({ params });
        }}
      >
        Download
      </Button>
      {isOpen ? (
        <Dialog title="Download the archive" onClose={() => setIsOpen(false)}>
          <div className="dialog-body">
            {make.error === null ? null : (
              <FaultNote fault={make.error} onRetry={() => make.mutate({ params })} />
            )}
            {make.isPending ? <Skeleton rows={3} /> : null}
            {make.data === undefined ? null : <Ready download={make.data} />}
            <div className="dialog-actions">
              <Button onClick={() => setIsOpen(false)}>Close</Button>
            </div>
          </div>
        </Dialog>
      ) : null}
    </IfMay>
  );
}

function Ready({ download }: { download: Download }): ReactNode {
  const commands = [
    `wget -O backup.tar.zst "${download.url}"`,
    "zstd -d backup.tar.zst",
    "tar -xf backup.tar",
    "mysql -u user -p dbname < database.sql",
    "rsync -av wp-content/ /var/www/site/wp-content/",
  ].join("\n");
  return (
    <>
      <p>
        <a href={download.url} className="button primary" download={download.file_name} rel="noreferrer">
          Save {download.file_name} ({bytes(download.size_bytes)})
        </a>
      </p>
      <p className="muted small">
        The link works until <Moment at={download.expires_at} />, for everybody who has it.
      </p>
      <h3>Or restore it on a server with stock tools</h3>
      <div className="command">
        <code>{commands}</code>
        <CopyButton text={commands} />
      </div>
    </>
  );
}
