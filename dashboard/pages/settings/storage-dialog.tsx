// A storage to add, or one whose name, address or keys change. The secret goes in and is never shown.
import { type ReactNode, useState } from "react";
import type { CreateProvider, PatchProvider, StorageProvider } from "#shared/contracts/storage.ts";
import { useChange } from "../../api/hooks.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { CheckField, SelectField, TextField } from "../../ui/field.tsx";
import { StorageTestResult } from "./storage-test-result.tsx";

const KINDS: readonly (readonly [string, string])[] = [
  ["s3", "S3-compatible, with keys: R2, B2, Wasabi, MinIO …"],
  ["aws", "A bucket on AWS, by a role"],
];

interface Form {
  readonly kind: string;
  readonly name: string;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly roleArn: string;
  readonly keyId: string;
  readonly secret: string;
  readonly isPathStyle: boolean;
}

function formOf(provider: StorageProvider | undefined): Form {
  return {
    kind: provider?.kind ?? "s3",
    name: provider?.name ?? "",
    endpoint: provider?.endpoint ?? "",
    region: provider?.region ?? "us-east-1",
    bucket: provider?.bucket ?? "",
    roleArn: provider?.role_arn ?? "",
    keyId: provider?.access_key_id ?? "",
    secret: "",
    isPathStyle: provider?.force_path_style ?? true,
  };
}

function creationOf(form: Form): CreateProvider {
  const { name, region, bucket } = form;
  if (form.kind === "aws") return { kind: "aws", name, region, bucket, role_arn: form.roleArn };
  return {
    kind: "s3",
    ...{ name, region, bucket },
    endpoint: form.endpoint,
    force_path_style: form.isPathStyle,
    access_key_id: form.keyId,
    secret_access_key: form.secret,
  };
}

/** Only what is another: what a test has found holds as long as nothing but the name changes. */
function changesOf(form: Form, provider: StorageProvider): PatchProvider {
  const before = formOf(provider);
  return {
    ...(form.name === before.name ? {} : { name: form.name }),
    ...(form.region === before.region ? {} : { region: form.region }),
    ...(form.endpoint === before.endpoint ? {} : { endpoint: form.endpoint }),
    ...(form.roleArn === before.roleArn ? {} : { role_arn: form.roleArn }),
    ...(form.isPathStyle === before.isPathStyle ? {} : { force_path_style: form.isPathStyle }),
    ...(form.keyId === before.keyId ? {} : { access_key_id: form.keyId }),
    ...(form.secret === "" ? {} : { secret_access_key: form.secret }),
  };
}

export function StorageDialog(props: { provider?: StorageProvider; onClose: () => void }): ReactNode {
  const { provider, onClose } = props;
  const [form, setForm] = useState(() => formOf(provider));
  const create = useChange("createStorageProvider", ["listStorageProviders"]);
  const patch = useChange("patchStorageProvider", ["listStorageProviders"]);
  const test = useChange("testNewStorageProvider", []);
  const error = provider === undefined ? (create.error ?? test.error) : patch.error;
  const save = (): void => {
    const done = { onSuccess: onClose };
    if (provider === undefined) create.mutate({ body: creationOf(form) }, done);
    else patch.mutate({ params: { id: provider.id }, body: changesOf(form, provider) }, done);
  };
  return (
    <Dialog title={provider === undefined ? "Add a storage" : `Change ${provider.name}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <StorageFields
          form={form}
          onChange={(change) => setForm((before) => ({ ...before, ...change }))}
          isNew={provider === undefined}
          errorOf={(field) => error?.issueOf(field)}
        />
        {error === null ? null : <FaultNote fault={error} />}
        {test.data === undefined ? null : <StorageTestResult test={test.data} />}
        <DialogActions onClose={onClose}>
          {provider === undefined ? (
            <Button busy={test.isPending} onClick={() => test.mutate({ body: creationOf(form) })}>
              Test
            </Button>
          ) : null}
          <Button type="submit" look="primary" busy={create.isPending || patch.isPending}>
            Save
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface FieldsProps {
  readonly form: Form;
  readonly onChange: (change: Partial<Form>) => void;
  readonly isNew: boolean;
  readonly errorOf: (field: string) => string | undefined;
}

function StorageFields({ form, onChange, isNew, errorOf }: FieldsProps): ReactNode {
  const text = (name: keyof Form, label: string, field: string, help?: string): ReactNode => (
    <TextField
      label={label}
      value={String(form[name])}
      onChange={(value) => onChange({ [name]: value })}
      error={errorOf(field)}
      help={help}
      spellCheck={false}
      autoComplete="off"
      required
    />
  );
  return (
    <>
      {isNew ? (
        <SelectField label="Kind" value={form.kind} onChange={(kind) => onChange({ kind })} options={KINDS} />
      ) : null}
      {text("name", "Name", "name")}
      {form.kind === "s3" ? text("endpoint", "Endpoint", "endpoint", "https://… without the bucket") : null}
      {text("region", "Region", "region", "As the provider names it; some want auto.")}
      {isNew ? text("bucket", "Bucket", "bucket") : null}
      {form.kind === "aws"
        ? text("roleArn", "Role", "role_arn", "Its ARN; its name begins with backupd-storage-.")
        : null}
      {form.kind === "s3" ? (
        <>
          {text("keyId", "Access key id", "access_key_id")}
          <TextField
            label="Secret access key"
            type="password"
            value={form.secret}
            onChange={(secret) => onChange({ secret })}
            error={errorOf("secret_access_key")}
            help={
              isNew ? "It is sealed and never shown again." : "Leave it empty to keep the one that is there."
            }
            autoComplete="new-password"
            required={isNew}
          />
          <CheckField
            label="The bucket goes into the path of the URL"
            checked={form.isPathStyle}
            onChange={(isPathStyle) => onChange({ isPathStyle })}
          />
        </>
      ) : null}
    </>
  );
}
