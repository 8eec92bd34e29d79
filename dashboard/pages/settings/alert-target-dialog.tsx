// A new place for alerts. What is typed here is never shown again.
import { type ReactNode, useState } from "react";
import type { CreateAlertTarget } from "#shared/contracts/alert-targets.ts";
import { useChange } from "../../api/hooks.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { SelectField, TextField } from "../../ui/field.tsx";

const KINDS: readonly (readonly [CreateAlertTarget["kind"], string])[] = [
  ["webhook", "A webhook: Slack and whatever is compatible"],
  ["email", "E-mail through SES; takes the place of the one before"],
  ["heartbeat", "A watchdog outside, called after each good run of the watch"],
];

interface Form {
  readonly kind: CreateAlertTarget["kind"];
  readonly url: string;
  readonly secret: string;
  readonly from: string;
  readonly to: string;
}

const EMPTY: Form = { kind: "webhook", url: "", secret: "", from: "", to: "" };

function targetOf({ kind, url, secret, from, to }: Form): CreateAlertTarget {
  if (kind === "email") return { kind, from: from.trim(), to: to.split(/[\s,;]+/).filter(Boolean) };
  if (kind === "heartbeat" || secret === "") return { kind, url };
  return { kind, url, secret };
}

export function AlertTargetDialog({ onClose }: { onClose: () => void }): ReactNode {
  const [form, setForm] = useState(EMPTY);
  const create = useChange("createAlertTarget", ["listAlertTargets"]);
  const change = (changes: Partial<Form>): void => setForm({ ...form, ...changes });
  const text = (field: Exclude<keyof Form, "kind">) => ({
    value: form[field],
    onChange: (value: string) => change({ [field]: value }),
    error: create.error?.issueOf(field),
    autoComplete: "off",
  });
  return (
    <Dialog title="New alert target" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ body: targetOf(form) }, { onSuccess: onClose });
        }}
      >
        <SelectField
          label="Kind"
          value={form.kind}
          onChange={(kind) => change({ kind: kind as Form["kind"] })}
          options={KINDS}
        />
        {form.kind === "email" ? (
          <>
            <TextField
              label="From"
              type="email"
              help="An address that SES knows to be yours"
              {...text("from")}
              required
            />
            <TextField label="To" help="One or more, with commas between" {...text("to")} required />
          </>
        ) : (
          <TextField
            label="URL"
            type="url"
            placeholder="https://"
            maxLength={1000}
            {...text("url")}
            required
          />
        )}
        {form.kind === "webhook" ? (
          <TextField
            label="Secret"
            help="16 characters or more, to sign what is sent; may be left out"
            type="password"
            {...text("secret")}
            autoComplete="new-password"
          />
        ) : null}
        {create.error === null ? null : <FaultNote fault={create.error} />}
        <DialogActions onClose={onClose}>
          <Button type="submit" look="primary" busy={create.isPending}>
            Add target
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
