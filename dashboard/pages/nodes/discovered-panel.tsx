// WordPress sites that nodes have found and nobody protects: one click each.
import type { ReactNode } from "react";
import type { Schedule } from "#shared/contracts/sites.ts";
import { suggestSchedule } from "#shared/suggest-schedule.ts";
import { useChange } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { count } from "../../lib/format.ts";
import { type FoundSite, suggestName } from "../../lib/node-state.ts";
import { inWords } from "../../lib/schedule-words.ts";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Panel } from "../../ui/panel.tsx";

export function DiscoveredPanel({ found }: { found: readonly FoundSite[] }): ReactNode {
  return (
    <Panel
      title="Found, not protected"
      aside={<span className="muted small">{count(found.length, "site")}</span>}
    >
      <ul className="plain-list">
        {found.map((site) => (
          <FoundRow key={`${site.node.id} ${site.path}`} site={site} />
        ))}
      </ul>
    </Panel>
  );
}

/** At a minute of its own in the operator's night; the settings page has everything else. */
function nightly({ node, path }: FoundSite): Schedule {
  return suggestSchedule(`${node.id} ${path}`, Intl.DateTimeFormat().resolvedOptions().timeZone);
}

function FoundRow({ site }: { site: FoundSite }): ReactNode {
  const name = suggestName(site);
  const protect = useChange("createSite", ["listSites", "listNodes", "getNode", "getFleetSummary"]);
  const schedule = nightly(site);
  return (
    <li>
      <div className="found-place">
        <p>
          <strong>{name}</strong> <span className="muted">on {site.node.name}</span>
        </p>
        <p className="muted">
          <code>{site.path}</code>
        </p>
        {protect.error === null ? null : <FaultNote fault={protect.error} />}
      </div>
      <IfMay to="createSite">
        <Button
          icon="shield"
          busy={protect.isPending}
          title={`Backs it up. ${inWords(schedule.expression)}`}
          onClick={() => protect.mutate({ body: { node_id: site.node.id, name, path: site.path, schedule } })}
        >
          Protect
          <span className="visually-hidden"> {name}</span>
        </Button>
      </IfMay>
    </li>
  );
}
