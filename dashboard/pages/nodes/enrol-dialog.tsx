// Enrolling a node is copying one command; the dialog sees by itself that it was run.
import { type ReactNode, useEffect, useRef } from "react";
import { Link } from "wouter";
import { useCall, useChange, useList } from "../../api/hooks.ts";
import { duration } from "../../lib/format.ts";
import { useNow } from "../../lib/use-now.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Skeleton } from "../../ui/panel.tsx";

const LOOK_MS = 2_000;
const INSTALL = "npm install -g --omit=dev ./backupd-*.tgz";

export function EnrolDialog({ onClose }: { onClose: () => void }): ReactNode {
  const create = useChange("createEnrollmentToken", ["listEnrollmentTokens"]);
  const { mutate, data: made, error } = create;
  const isAsked = useRef(false);
  useEffect(() => {
    // Once, although development mode runs effects twice: each call is a token.
    if (isAsked.current) return;
    isAsked.current = true;
    mutate({ body: {} });
  }, [mutate]);
  const nodeId = useEnrolledNode(made?.id);
  return (
    <Dialog title="Enrol a node" onClose={onClose}>
      <div className="dialog-body">
        {error === null ? null : <FaultNote fault={error} onRetry={() => mutate({ body: {} })} />}
        {made === undefined && error === null ? <Skeleton rows={3} /> : null}
        {made === undefined ? null : nodeId === undefined ? (
          <Waiting command={made.command} expiresAt={made.expires_at} />
        ) : (
          <Enrolled nodeId={nodeId} onClose={onClose} />
        )}
        <div className="dialog-actions">
          <Button onClick={onClose}>{nodeId === undefined ? "Cancel" : "Close"}</Button>
        </div>
      </div>
    </Dialog>
  );
}

/** The node that used the token, as soon as one has. */
function useEnrolledNode(tokenId: string | undefined): string | undefined {
  const tokens = useList("listEnrollmentTokens", {
    pageSize: 50,
    everyMs: LOOK_MS,
    enabled: tokenId !== undefined,
  });
  return tokens.items.find(({ id }) => id === tokenId)?.used_by_node_id;
}

function Waiting({ command, expiresAt }: { command: string; expiresAt: string }): ReactNode {
  const leftSeconds = Math.max(0, (Date.parse(expiresAt) - useNow().getTime()) / 1000);
  return (
    <>
      <HowToInstall />
      <p>Then run this there, as root:</p>
      <div className="command">
        <code>{command}</code>
        <CopyButton text={command} />
      </div>
      <p className="muted small">
        The token in it works once
        {leftSeconds > 0 ? `, for ${duration(leftSeconds)} from now` : "; it is too old by now"}.
      </p>
      <p role="status">
        <Badge tone="busy">Waiting for the node</Badge>
      </p>
    </>
  );
}

function HowToInstall(): ReactNode {
  return (
    <details>
      <summary>First, backupd has to be on the server. How?</summary>
      <div className="dialog-body">
        <p>
          Once per version, where Backupd's sources are: <code>npm run package</code>, then{" "}
          <code>npm pack</code> in <code>dist/backupd</code>. Copy the file that this makes to the server.
          There, as root:
        </p>
        <div className="command">
          <code>{INSTALL}</code>
          <CopyButton text={INSTALL} label="Copy how to install" />
        </div>
        <p className="muted small">
          It brings its own Node along, and needs the database's client programs and outgoing HTTPS. No open
          port, no PHP.
        </p>
      </div>
    </details>
  );
}

function Enrolled({ nodeId, onClose }: { nodeId: string; onClose: () => void }): ReactNode {
  const node = useCall("getNode", { params: { id: nodeId } }, { everyMs: LOOK_MS });
  const found = node.data?.discovered_sites?.length;
  const isHeard = node.data?.last_seen_at !== undefined;
  return (
    <div className="note good" role="status">
      <p>
        <strong>{node.data?.name ?? "The node"} is enrolled.</strong>
      </p>
      {isHeard ? (
        <p>
          It is alive and has found {found === 1 ? "one site" : `${found ?? 0} sites`}.{" "}
          <Link href={`/nodes/${nodeId}`} onClick={onClose}>
            Choose what to protect
          </Link>
        </p>
      ) : (
        <p>
          Now start it: <code>backupd run</code>, or its service. Its first sign of life shows up here.
        </p>
      )}
    </div>
  );
}
