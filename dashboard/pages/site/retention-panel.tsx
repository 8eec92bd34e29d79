// Which backups stay: the numbers of the policy, and live beside them what each number keeps and what would go.
import { type ReactNode, useDeferredValue, useState } from "react";
import type { Retention } from "#shared/contracts/retention.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { type Change, useChange } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { TextField } from "../../ui/field.tsx";
import { Panel } from "../../ui/panel.tsx";
import { RetentionOutcome } from "./retention-outcome.tsx";

const FIELDS: readonly (readonly [keyof Retention, string])[] = [
  ["keep_last", "Newest"],
  ["keep_daily", "Days"],
  ["keep_weekly", "Weeks"],
  ["keep_monthly", "Months"],
  ["keep_yearly", "Years"],
  ["min_keep", "Never fewer than"],
];
/** What most people want to hear when they ask. */
const SUGGESTED: Retention = {
  keep_last: 3,
  keep_daily: 14,
  keep_weekly: 8,
  keep_monthly: 12,
  keep_yearly: 0,
  min_keep: 3,
};

export function RetentionPanel({ site }: { site: Site }): ReactNode {
  const save = useChange("putSiteRetention", ["getSite", "listSites", "previewSiteRetention"]);
  return (
    <Panel
      title="Retention"
      aside={
        <span className="muted small">
          {site.retention === null ? "Off: everything is kept. Below, what a suggestion would do" : "On"}
        </span>
      }
    >
      <RetentionForm key={JSON.stringify(site.retention)} site={site} save={save} />
    </Panel>
  );
}

interface RetentionFormProps {
  readonly site: Site;
  readonly save: Change<"putSiteRetention">;
}

function RetentionForm({ site, save }: RetentionFormProps): ReactNode {
  const may = useMay();
  const [policy, setPolicy] = useState<Retention>(site.retention ?? SUGGESTED);
  const keepAll = useChange("deleteSiteRetention", ["getSite", "listSites", "previewSiteRetention"]);
  const isAllowed = may("putSiteRetention");
  const shown = useDeferredValue(policy);
  const params = { id: site.id };
  return (
    <form
      className="panel-body"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ params, body: policy });
      }}
    >
      {site.retention_stop === null ? null : <StopNote stop={site.retention_stop} />}
      <div className="columns">
        <div className="form">
          <p className="muted">
            Keeps the newest backup of each so many days, weeks and so on. The rest may go.
          </p>
          <div className="form-row">
            {FIELDS.map(([name, label]) => (
              <TextField
                key={name}
                label={label}
                type="number"
                min={name === "min_keep" ? 1 : 0}
                max={10_000}
                value={String(policy[name])}
                disabled={!isAllowed}
                error={save.error?.issueOf(name)}
                onChange={(text) => setPolicy({ ...policy, [name]: Math.max(0, Math.trunc(Number(text))) })}
              />
            ))}
          </div>
        </div>
        <RetentionOutcome siteId={site.id} policy={shown} />
      </div>
      {save.error === null ? null : <FaultNote fault={save.error} />}
      {keepAll.error === null ? null : <FaultNote fault={keepAll.error} />}
      <div className="actions">
        {isAllowed ? (
          <Button type="submit" busy={save.isPending}>
            {site.retention === null ? "Turn on" : "Save retention"}
          </Button>
        ) : null}
        {may("deleteSiteRetention") && site.retention !== null ? (
          <Button busy={keepAll.isPending} onClick={() => keepAll.mutate({ params })}>
            Keep everything
          </Button>
        ) : null}
        <span className="muted" role="status">
          {save.isSuccess ? "Saved." : ""}
        </span>
      </div>
    </form>
  );
}

function StopNote({ stop }: { stop: NonNullable<Site["retention_stop"]> }): ReactNode {
  return (
    <div className="note warn" role="alert">
      <p>
        <strong>Nothing is deleted until somebody has looked.</strong>
      </p>
      <ul>
        {stop.alarms.map(({ code, message }) => (
          <li key={code}>{message}</li>
        ))}
      </ul>
      <p>If all is well, save the policy again.</p>
    </div>
  );
}
