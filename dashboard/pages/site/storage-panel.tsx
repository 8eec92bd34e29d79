// Where the site's next archives go; shown to those who decide that.
import { type ReactNode, useState } from "react";
import type { Site } from "#shared/contracts/sites.ts";
import { useCall, useChange } from "../../api/hooks.ts";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { SelectField } from "../../ui/field.tsx";
import { Panel, Skeleton } from "../../ui/panel.tsx";

export function StorageChoicePanel({ site }: { site: Site }): ReactNode {
  const providers = useCall("listStorageProviders", {});
  const [id, setId] = useState(site.storage_provider_id);
  const save = useChange("patchSite", ["getSite", "listSites"]);
  return (
    <Panel title="Storage">
      <form
        className="panel-body"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ params: { id: site.id }, body: { storage_provider_id: id } });
        }}
      >
        {providers.data === undefined ? (
          <Skeleton rows={1} />
        ) : (
          <SelectField
            label="The next archives go to"
            value={id}
            onChange={setId}
            options={providers.data.items.map(({ id: each, name, bucket }) => [each, `${name} (${bucket})`])}
            help="Older archives stay where they are. After a move the next backup is sent in full."
          />
        )}
        {providers.error === null ? null : <FaultNote fault={providers.error} onRetry={providers.refetch} />}
        {save.error === null ? null : <FaultNote fault={save.error} />}
        <div className="actions">
          <Button type="submit" busy={save.isPending} disabled={id === site.storage_provider_id}>
            Save storage
          </Button>
          <span className="muted" role="status">
            {save.isSuccess ? "Saved." : ""}
          </span>
        </div>
      </form>
    </Panel>
  );
}
