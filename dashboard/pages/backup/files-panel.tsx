// What is inside the archive, one directory at a time, read from its index alone; what is ticked can be restored.
import type { ReactNode } from "react";
import { useSearchParams } from "wouter";
import type { ArchiveFile } from "#shared/contracts/backup-files.ts";
import { useList } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { bytes, count } from "../../lib/format.ts";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Empty, Panel, Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";
import { SaveFileButton } from "./save-file-button.tsx";

interface FilesPanelProps {
  readonly backupId: string;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (path: string) => void;
  /** Whether anything could be done with a choice. */
  readonly canChoose: boolean;
}

export function FilesPanel({ backupId, chosen, onChoose, canChoose }: FilesPanelProps): ReactNode {
  const canSave = useMay()("getBackupFile");
  const [params, setParams] = useSearchParams();
  const prefix = params.get("path") ?? "";
  const open = (path: string): void => setParams(path === "" ? {} : { path });
  const files = useList("listBackupFiles", {
    params: { id: backupId },
    query: { prefix },
    pageSize: 200,
    everyMs: Number.POSITIVE_INFINITY,
  });
  return (
    <Panel title="Files" aside={<Crumbs path={prefix} onOpen={open} />}>
      {files.error === null ? null : <FaultNote fault={files.error} onRetry={files.refetch} />}
      {files.isPending && files.error === null ? <Skeleton rows={3} /> : null}
      {!files.isPending && files.items.length === 0 && files.error === null ? (
        <Empty title="This directory is empty" />
      ) : null}
      {files.items.length === 0 ? null : (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th className="num">Size</th>
                <th className="num">Files</th>
                <th>Changed</th>
                {canSave ? (
                  <th>
                    <span className="visually-hidden">Actions</span>
                  </th>
                ) : null}
              </tr>
            </thead>
            <tbody>
              {files.items.map((file) => (
                <tr key={file.path}>
                  <td>
                    <span className="file">
                      {canChoose ? (
                        <input
                          type="checkbox"
                          aria-label={`Choose ${file.path}`}
                          checked={chosen.has(file.path)}
                          onChange={() => onChoose(file.path)}
                        />
                      ) : null}
                      <FileName file={file} onOpen={open} />
                    </span>
                  </td>
                  <td className="num">{bytes(file.size_bytes)}</td>
                  <td className="num">{file.type === "directory" ? file.files.toLocaleString("en") : ""}</td>
                  <td className="nowrap">
                    {file.modified_at === null ? "" : <Moment at={file.modified_at} />}
                  </td>
                  {canSave ? (
                    <td className="num">
                      {isFile(file) ? <SaveFileButton backupId={backupId} file={file} /> : null}
                    </td>
                  ) : null}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {files.hasNextPage ? (
        <div className="panel-body">
          <Button busy={files.isFetchingNextPage} onClick={() => void files.fetchNextPage()}>
            Show more than {count(files.items.length, "name")}
          </Button>
        </div>
      ) : null}
    </Panel>
  );
}

const isFile = ({ type }: ArchiveFile): boolean => type === "file" || type === "hardlink";

function FileName({ file, onOpen }: { file: ArchiveFile; onOpen: (path: string) => void }): ReactNode {
  if (file.type !== "directory") {
    return (
      <>
        <Icon name="file" /> {file.name}
        {file.type === "file" ? null : <span className="muted"> ({file.type})</span>}
      </>
    );
  }
  return (
    <button type="button" className="link" onClick={() => onOpen(file.path)}>
      <Icon name="folder" /> {file.name}
    </button>
  );
}

function Crumbs({ path, onOpen }: { path: string; onOpen: (path: string) => void }): ReactNode {
  const parts = path.split("/").filter(Boolean);
  return (
    <nav className="path" aria-label="Directory">
      <button type="button" className="link" onClick={() => onOpen("")}>
        archive
      </button>
      {parts.map((part, at) => {
        const full = parts.slice(0, at + 1).join("/");
        return (
          <span key={full}>
            {" / "}
            <button type="button" className="link" onClick={() => onOpen(full)}>
              {part}
            </button>
          </span>
        );
      })}
    </nav>
  );
}
