// A new API token: made once, shown once.
import { type ReactNode, useState } from "react";
import type { Role } from "#shared/contracts/identity.ts";
import { useChange } from "../../api/hooks.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";

const ROLES: readonly (readonly [Role, string])[] = [
  ["viewer", "Viewer: sees everything, changes nothing"],
  ["operator", "Operator: backs up, restores, configures"],
  ["admin", "Admin: also removes things and makes tokens"],
];
const DAY = 86_400;
const LIVES: readonly (readonly [string, string])[] = [
  [String(30 * DAY), "30 days"],
  [String(90 * DAY), "90 days"],
  [String(365 * DAY), "One year"],
  ["", "Until revoked"],
];

export function NewTokenDialog({ onClose }: { onClose: () => void }): ReactNode {
  const [label, setLabel] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [life, setLife] = useState(String(90 * DAY));
  const create = useChange("createApiToken", ["listApiTokens"]);
  if (create.data !== undefined) {
    return (
      <Dialog title="The new token" onClose={onClose}>
        <div className="dialog-body">
          <p>Copy it now: it is not shown again, and nobody can read it back.</p>
          <div className="command">
            <code>{create.data.token}</code>
            <CopyButton text={create.data.token} />
          </div>
          <div className="dialog-actions">
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="New API token" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const ttl = life === "" ? {} : { ttl_seconds: Number(life) };
          create.mutate({ body: { label, role, ...ttl } });
        }}
      >
        <TextField
          label="Label"
          value={label}
          onChange={setLabel}
          placeholder="Who or what uses it"
          maxLength={120}
          error={create.error?.issueOf("label")}
          required
        />
        <SelectField label="Role" value={role} onChange={(value) => setRole(value as Role)} options={ROLES} />
        <SelectField label="Valid for" value={life} onChange={setLife} options={LIVES} />
        {create.error === null ? null : <FaultNote fault={create.error} />}
        <DialogActions onClose={onClose}>
          <Button type="submit" look="primary" busy={create.isPending}>
            Make token
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
