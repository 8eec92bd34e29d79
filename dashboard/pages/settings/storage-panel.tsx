// Where archives can lie: for the fleet's owner, who adds storages, tests them and lets sites use them.
import { type ReactNode, useState } from "react";
import type { StorageProvider } from "#shared/contracts/storage.ts";
import { useCall, useChange } from "../../api/hooks.ts";
import { missingFeatures } from "../../lib/storage-words.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/confirm-dialog.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Panel, Skeleton } from "../../ui/panel.tsx";
import { StorageDialog } from "./storage-dialog.tsx";
import { StorageTestResult } from "./storage-test-result.tsx";

type Open = { readonly what: "add" | "change" | "delete" | "test"; readonly provider?: StorageProvider };

export function StoragePanel(): ReactNode {
  const providers = useCall("listStorageProviders", {});
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  return (
    <Panel
      title="Storage"
      aside={
        <Button icon="plus" onClick={() => setOpen({ what: "add" })}>
          Add storage
        </Button>
      }
    >
      {providers.error === null ? null : <FaultNote fault={providers.error} onRetry={providers.refetch} />}
      {providers.isPending && providers.error === null ? <Skeleton rows={2} /> : null}
      {providers.data === undefined ? null : (
        <StorageTable providers={providers.data.items} onOpen={setOpen} />
      )}
      {open?.what === "add" ? <StorageDialog onClose={close} /> : null}
      {open?.what === "change" && open.provider ? (
        <StorageDialog provider={open.provider} onClose={close} />
      ) : null}
      {open?.what === "delete" && open.provider ? (
        <DeleteDialog provider={open.provider} onClose={close} />
      ) : null}
      {open?.what === "test" && open.provider ? (
        <TestDialog provider={open.provider} onClose={close} />
      ) : null}
    </Panel>
  );
}

function StorageTable(props: {
  providers: readonly StorageProvider[];
  onOpen: (open: Open) => void;
}): ReactNode {
  return (
    <div className="table-scroll">
      <table>
        <thead>
          <tr>
            <th>Name</th>
            <th>Bucket</th>
            <th>Where</th>
            <th>Tested</th>
            <th>
              <span className="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {props.providers.map((provider) => (
            <tr key={provider.id}>
              <td>
                {provider.name} {provider.is_default ? <span className="muted">(default)</span> : null}
              </td>
              <td>{provider.bucket}</td>
              <td>{provider.endpoint ?? `AWS, ${provider.region}`}</td>
              <td>
                <Tested provider={provider} />
              </td>
              <td className="num">
                <Actions provider={provider} onOpen={props.onOpen} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Tested({ provider: { is_default: isDefault, features } }: { provider: StorageProvider }): ReactNode {
  if (features === null) return isDefault ? null : <Badge tone="quiet">Not tested</Badge>;
  const missing = missingFeatures(features);
  return missing.length === 0 ? (
    <Badge tone="good">Has everything</Badge>
  ) : (
    <Badge tone="warn">Without {missing.join(", ")}</Badge>
  );
}

function Actions(props: { provider: StorageProvider; onOpen: (open: Open) => void }): ReactNode {
  const { provider, onOpen } = props;
  const button = (what: Open["what"], word: string): ReactNode => (
    <Button look="ghost" aria-label={`${word} ${provider.name}`} onClick={() => onOpen({ what, provider })}>
      {word}
    </Button>
  );
  return (
    <>
      {button("test", "Test")}
      {provider.is_default ? null : button("change", "Change")}
      {provider.is_default ? null : button("delete", "Delete")}
    </>
  );
}

function TestDialog({ provider, onClose }: { provider: StorageProvider; onClose: () => void }): ReactNode {
  const test = useChange("testStorageProvider", ["listStorageProviders"]);
  return (
    <Dialog title={`Test ${provider.name}`} onClose={onClose}>
      <div className="dialog-body">
        {test.data === undefined ? (
          <p>
            Some megabytes are written below <code>_backupd/probe/</code>, copied, read back and deleted
            again.
          </p>
        ) : (
          <StorageTestResult test={test.data} />
        )}
        {test.error === null ? null : <FaultNote fault={test.error} />}
        <div className="dialog-actions">
          <Button onClick={onClose}>Close</Button>
          <Button
            look="primary"
            busy={test.isPending}
            onClick={() => test.mutate({ params: { id: provider.id } })}
          >
            {test.data === undefined ? "Run the test" : "Test again"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function DeleteDialog({ provider, onClose }: { provider: StorageProvider; onClose: () => void }): ReactNode {
  const remove = useChange("deleteStorageProvider", ["listStorageProviders"]);
  return (
    <ConfirmDialog
      title={`Delete ${provider.name}?`}
      action="Delete"
      busy={remove.isPending}
      fault={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { id: provider.id } }, { onSuccess: onClose })}
    >
      <p>
        Its keys are forgotten; what lies in the bucket stays there. It is refused while a site or a backup
        uses it.
      </p>
    </ConfirmDialog>
  );
}
