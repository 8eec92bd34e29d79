// The site's name, directory and tenant, and whether it is paused.
import { type ReactNode, useState } from "react";
import type { Site } from "#shared/contracts/sites.ts";
import { useChange } from "../../api/hooks.ts";
import { useMay, useMe } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { TextField } from "../../ui/field.tsx";
import { Panel } from "../../ui/panel.tsx";

export function PlacePanel({ site }: { site: Site }): ReactNode {
  const isAllowed = useMay()("patchSite");
  const isOwner = useMe().tenant === null;
  const [name, setName] = useState(site.name);
  const [path, setPath] = useState(site.path);
  const [tenant, setTenant] = useState(site.tenant ?? "");
  const save = useChange("patchSite", ["getSite", "listSites"]);
  const given = tenant.trim() === "" ? null : tenant.trim();
  // Said only when it is another: it moves everything that the site has.
  const move = given === site.tenant ? {} : { tenant: given };
  const isSame = name === site.name && path === site.path && given === site.tenant;
  return (
    <Panel title="Name and place">
      <form
        className="panel-body"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ params: { id: site.id }, body: { name, path, ...move } });
        }}
      >
        <TextField
          label="Name"
          value={name}
          onChange={setName}
          disabled={!isAllowed}
          error={save.error?.issueOf("name")}
          required
        />
        <TextField
          label="Directory on the node"
          value={path}
          onChange={setPath}
          disabled={!isAllowed}
          error={save.error?.issueOf("path")}
          help="Where wp-config.php is, or the directory below it."
          spellCheck={false}
          required
        />
        {isOwner ? (
          <TextField
            label="Tenant"
            value={tenant}
            onChange={setTenant}
            disabled={!isAllowed}
            error={save.error?.issueOf("tenant")}
            help="Whose operators see the site, with its jobs and backups; empty for nobody but yours."
            spellCheck={false}
            autoCapitalize="none"
          />
        ) : null}
        {save.error === null ? null : <FaultNote fault={save.error} />}
        {isAllowed ? (
          <div className="actions">
            <Button type="submit" busy={save.isPending} disabled={isSame}>
              Save
            </Button>
            <PauseButton site={site} />
          </div>
        ) : null}
      </form>
    </Panel>
  );
}

function PauseButton({ site }: { site: Site }): ReactNode {
  const change = useChange("patchSite", ["getSite", "listSites", "getFleetSummary"]);
  const isPaused = site.state === "paused";
  return (
    <>
      <Button
        busy={change.isPending}
        onClick={() =>
          change.mutate({ params: { id: site.id }, body: { state: isPaused ? "active" : "paused" } })
        }
      >
        {isPaused ? "Resume backups" : "Pause backups"}
      </Button>
      {change.error === null ? null : <FaultNote fault={change.error} />}
    </>
  );
}
