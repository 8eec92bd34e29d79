// The site's name and directory, and whether it is paused.
import { type ReactNode, useState } from "react";
import type { Site } from "#shared/contracts/sites.ts";
import { useChange } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { TextField } from "../../ui/field.tsx";
import { Panel } from "../../ui/panel.tsx";

export function PlacePanel({ site }: { site: Site }): ReactNode {
  const isAllowed = useMay()("patchSite");
  const [name, setName] = useState(site.name);
  const [path, setPath] = useState(site.path);
  const save = useChange("patchSite", ["getSite", "listSites"]);
  const isSame = name === site.name && path === site.path;
  return (
    <Panel title="Name and place">
      <form
        className="panel-body"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ params: { id: site.id }, body: { name, path } });
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
