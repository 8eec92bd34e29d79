// One node: is it alive, what is on it, and how it is taken out of service.
import { type ReactNode, useMemo } from "react";
import { Link } from "wouter";
import type { Node } from "#shared/contracts/nodes.ts";
import type { Site } from "#shared/contracts/sites.ts";
import { openHealthRule } from "#shared/site-health.ts";
import { useCall, useList } from "../../api/hooks.ts";
import { bytes, percent } from "../../lib/format.ts";
import { nodeState, unprotectedSites } from "../../lib/node-state.ts";
import { useNow } from "../../lib/use-now.ts";
import { useTitle } from "../../lib/use-title.ts";
import { Badge, HealthBadge } from "../../ui/badge.tsx";
import { FaultPage } from "../../ui/fault-view.tsx";
import { Meter } from "../../ui/meter.tsx";
import { Empty, Fact, Facts, Panel, Skeleton } from "../../ui/panel.tsx";
import { Ago, Moment } from "../../ui/time.tsx";
import { DiscoveredPanel } from "./discovered-panel.tsx";
import { NodeActions } from "./node-actions.tsx";

export function NodePage({ id }: { id: string }): ReactNode {
  const node = useCall("getNode", { params: { id } }, { everyMs: 10_000 });
  const sites = useList("listSites", { query: { node_id: id }, pageSize: 200, all: true });
  const now = useNow();
  useTitle(node.data?.name ?? "Node");
  const found = useMemo(
    () => (node.data === undefined || sites.isPending ? [] : unprotectedSites([node.data], sites.items)),
    [node.data, sites],
  );
  // Drawn once: what was found stands above the sites.
  if (node.data === undefined || sites.isPending) {
    return node.error === null ? (
      <Skeleton rows={8} />
    ) : (
      <FaultPage fault={node.error} onRetry={node.refetch} />
    );
  }
  const state = nodeState(node.data, now);
  return (
    <>
      <div className="page-head">
        <nav className="crumbs" aria-label="Where this is">
          <Link href="/nodes">Nodes</Link> / {node.data.name}
        </nav>
        <h1>{node.data.name}</h1>
        <Badge tone={state.tone}>{state.word}</Badge>
        <NodeActions node={node.data} hasSites={sites.items.length > 0} />
      </div>
      <NodeFacts node={node.data} />
      {found.length > 0 ? <DiscoveredPanel found={found} /> : null}
      <NodeSites sites={sites.items} isPending={sites.isPending} now={now} />
    </>
  );
}

function NodeFacts({ node }: { node: Node }): ReactNode {
  const { disk_free_bytes: free, disk_total_bytes: total } = node;
  return (
    <Panel title="Health">
      <div className="panel-body">
        <Facts>
          <Fact term="Last seen">
            {node.last_seen_at === undefined ? "Never" : <Ago at={node.last_seen_at} />}
          </Fact>
          <Fact term="Version">{node.version ?? "Unknown"}</Fact>
          <Fact term="Platform">{node.platform ?? "Unknown"}</Fact>
          {node.tenant === null ? null : <Fact term="Tenant">{node.tenant}</Fact>}
          <Fact term="Reports waiting">{node.outbox_length ?? 0}</Fact>
          <Fact term="Enrolled">
            <Moment at={node.created_at} />
          </Fact>
          <Fact term="Quota">{node.quota_bytes === null ? "None" : bytes(node.quota_bytes)}</Fact>
        </Facts>
        {free === undefined || total === undefined ? null : (
          <Meter
            value={total - free}
            max={total}
            tone={percent(free, total) < 5 ? "bad" : percent(free, total) < 15 ? "warn" : "good"}
            text={
              <>
                <span>Disk of the state directory</span>
                <span>
                  {bytes(free)} free of {bytes(total)}
                </span>
              </>
            }
          />
        )}
      </div>
    </Panel>
  );
}

function NodeSites({
  sites,
  isPending,
  now,
}: {
  sites: readonly Site[];
  isPending: boolean;
  now: Date;
}): ReactNode {
  const healthOf = openHealthRule();
  return (
    <Panel title="Sites">
      {isPending ? <Skeleton rows={2} /> : null}
      {!isPending && sites.length === 0 ? <Empty title="Nothing on this node is protected yet" /> : null}
      {sites.length === 0 ? null : (
        <div className="table-scroll">
          <table>
            <thead>
              <tr>
                <th>Site</th>
                <th>State</th>
                <th>Last backup</th>
                <th>Path</th>
              </tr>
            </thead>
            <tbody>
              {sites.map((site) => (
                <tr key={site.id}>
                  <td>
                    <Link href={`/sites/${site.id}`}>{site.name}</Link>
                  </td>
                  <td>
                    <HealthBadge health={healthOf(site, now)} />
                  </td>
                  <td className="nowrap">
                    {site.last_backup_at === null ? "never" : <Ago at={site.last_backup_at} />}
                  </td>
                  <td>
                    <code>{site.path}</code>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
