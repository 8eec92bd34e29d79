// Who and what may use the API.
import { type ReactNode, useState } from "react";
import type { ApiToken } from "#shared/contracts/identity.ts";
import { useChange, useList } from "../../api/hooks.ts";
import { useMay, useMe } from "../../api/role.tsx";
import { useNow } from "../../lib/use-now.ts";
import { useTitle } from "../../lib/use-title.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Panel, Skeleton } from "../../ui/panel.tsx";
import { Moment } from "../../ui/time.tsx";
import { AlertsPanel } from "./alerts-panel.tsx";
import { NewTokenDialog } from "./new-token-dialog.tsx";
import { PeoplePanel } from "./people-panel.tsx";
import { StoragePanel } from "./storage-panel.tsx";

export function SettingsPage(): ReactNode {
  useTitle("Settings");
  const may = useMay();
  return (
    <>
      <div className="page-head">
        <h1>Settings</h1>
      </div>
      {may("getRoles") ? <PeoplePanel /> : null}
      {may("listAlertTargets") ? <AlertsPanel /> : null}
      {may("listStorageProviders") ? <StoragePanel /> : null}
      {may("listApiTokens") ? <TokensPanel /> : <p className="muted">API tokens are managed by admins.</p>}
    </>
  );
}

function TokensPanel(): ReactNode {
  const tokens = useList("listApiTokens", { pageSize: 50 });
  const [isMaking, setIsMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken>();
  const revoke = useChange("deleteApiToken", ["listApiTokens"]);
  return (
    <Panel
      title="API tokens"
      aside={
        <Button icon="plus" onClick={() => setIsMaking(true)}>
          New token
        </Button>
      }
    >
      {tokens.error === null ? null : <FaultNote fault={tokens.error} onRetry={tokens.refetch} />}
      {tokens.isPending && tokens.error === null ? <Skeleton rows={3} /> : null}
      {tokens.items.length > 0 ? <TokenTable tokens={tokens.items} onRevoke={setRevoking} /> : null}
      {tokens.hasNextPage ? (
        <div className="panel-body">
          <Button busy={tokens.isFetchingNextPage} onClick={() => void tokens.fetchNextPage()}>
            Show older tokens
          </Button>
        </div>
      ) : null}
      {isMaking ? <NewTokenDialog onClose={() => setIsMaking(false)} /> : null}
      {revoking === undefined ? null : (
        <ConfirmDialog
          title={`Revoke ${revoking.label}?`}
          action="Revoke"
          busy={revoke.isPending}
          fault={revoke.error}
          onClose={() => setRevoking(undefined)}
          onConfirm={() =>
            revoke.mutate({ params: { id: revoking.id } }, { onSuccess: () => setRevoking(undefined) })
          }
        >
          <p>Whoever uses this token is refused at the next call. This cannot be taken back.</p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}

function TokenTable(props: { tokens: readonly ApiToken[]; onRevoke: (token: ApiToken) => void }): ReactNode {
  const now = useNow().toISOString();
  const me = useMe();
  return (
    <div className="table-scroll">
      <table>
        <thead>
          <tr>
            <th>Label</th>
            <th>Role</th>
            <th>State</th>
            <th>Made</th>
            <th>Ends</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.tokens.map((token) => (
            <tr key={token.id}>
              <td>
                {token.label} {token.id === me.id ? <span className="muted">(you)</span> : null}
              </td>
              <td>{token.role}</td>
              <td>
                <TokenState token={token} now={now} />
              </td>
              <td className="nowrap">
                <Moment at={token.created_at} />
              </td>
              <td className="nowrap">
                {token.expires_at === undefined ? "never" : <Moment at={token.expires_at} />}
              </td>
              <td className="num">
                {token.revoked_at === undefined ? (
                  <Button
                    look="ghost"
                    aria-label={`Revoke ${token.label}`}
                    onClick={() => props.onRevoke(token)}
                  >
                    Revoke
                  </Button>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TokenState({ token, now }: { token: ApiToken; now: string }): ReactNode {
  if (token.revoked_at !== undefined) return <Badge tone="quiet">Revoked</Badge>;
  if (token.expires_at !== undefined && token.expires_at <= now) return <Badge tone="quiet">Expired</Badge>;
  return <Badge tone="good">Valid</Badge>;
}
