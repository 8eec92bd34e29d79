// How much the site's backups may use in all.
import { type ReactNode, useState } from "react";
import type { Site } from "#shared/contracts/sites.ts";
import { useChange } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { bytes } from "../../lib/format.ts";
import { parseSize } from "../../lib/parse-size.ts";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { TextField } from "../../ui/field.tsx";
import { Panel } from "../../ui/panel.tsx";

export function QuotaPanel({ site }: { site: Site }): ReactNode {
  const isAllowed = useMay()("putSiteQuota");
  const [text, setText] = useState(site.quota_bytes === null ? "" : bytes(site.quota_bytes));
  const save = useChange("putSiteQuota", ["getSite", "getSiteQuotaStatus", "listSites"]);
  const isNone = text.trim() === "";
  const size = isNone ? null : parseSize(text);
  return (
    <Panel title="Quota">
      <form
        className="panel-body"
        onSubmit={(event) => {
          event.preventDefault();
          if (size !== undefined) save.mutate({ params: { id: site.id }, body: { quota_bytes: size } });
        }}
      >
        <TextField
          label="All backups together may use"
          value={text}
          onChange={setText}
          placeholder="No quota"
          disabled={!isAllowed}
          error={size === undefined ? "Write a size such as 50 GB." : undefined}
          help="A backup that would go over it is skipped, and says so. Empty: no quota."
        />
        {save.error === null ? null : <FaultNote fault={save.error} />}
        {isAllowed ? (
          <div className="actions">
            <Button type="submit" busy={save.isPending} disabled={size === undefined}>
              Save quota
            </Button>
            <span className="muted" role="status">
              {save.isSuccess ? "Saved." : ""}
            </span>
          </div>
        ) : null}
      </form>
    </Panel>
  );
}
