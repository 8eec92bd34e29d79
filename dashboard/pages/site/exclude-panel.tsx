// What is left out of the site's backups.
import { type ReactNode, useId, useState } from "react";
import type { Site } from "#shared/contracts/sites.ts";
import { useChange } from "../../api/hooks.ts";
import { useMay } from "../../api/role.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Panel } from "../../ui/panel.tsx";

export function ExcludePanel({ site }: { site: Site }): ReactNode {
  const id = useId();
  const isAllowed = useMay()("patchSite");
  const [text, setText] = useState(site.exclude.join("\n"));
  const save = useChange("patchSite", ["getSite", "listSites"]);
  const globs = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  return (
    <Panel title="Left out">
      <form
        className="panel-body"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ params: { id: site.id }, body: { exclude: globs } });
        }}
      >
        <div className="field">
          <label htmlFor={id}>Paths below wp-content, one per line</label>
          <textarea
            id={id}
            className="input"
            rows={4}
            value={text}
            disabled={!isAllowed}
            placeholder={"uploads/backups/**\n*.log"}
            spellCheck={false}
            onChange={(event) => setText(event.target.value)}
          />
          <div className="help">* and ** stand for names. Caches and node_modules are always left out.</div>
        </div>
        {save.error === null ? null : <FaultNote fault={save.error} />}
        {isAllowed ? (
          <div className="actions">
            <Button type="submit" busy={save.isPending}>
              Save
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
