// The servers that backupd runs on: which are alive, what they have found, and how the next one is enrolled.
import { type ReactNode, useMemo, useState } from "react";
import { Link } from "wouter";
import type { Node } from "#shared/contracts/nodes.ts";
import { useList } from "../../api/hooks.ts";
import { IfMay } from "../../api/role.tsx";
import { bytes } from "../../lib/format.ts";
import { isDiskLow, nodeState, unprotectedSites, worstFirst } from "../../lib/node-state.ts";
import { useNow } from "../../lib/use-now.ts";
import { useTitle } from "../../lib/use-title.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { FaultNote } from "../../ui/fault-view.tsx";
import { Empty, Panel, Skeleton } from "../../ui/panel.tsx";
import { Ago } from "../../ui/time.tsx";
import { DiscoveredPanel } from "./discovered-panel.tsx";
import { EnrolDialog } from "./enrol-dialog.tsx";

export function NodesPage(): ReactNode {
  useTitle("Nodes");
  const nodes = useList("listNodes", { pageSize: 200, all: true, everyMs: 10_000 });
  const sites = useList("listSites", { pageSize: 200, all: true, everyMs: 60_000 });
  const now = useNow();
  const [isEnrolling, setIsEnrolling] = useState(false);
  const found = useMemo(
    () => (sites.isPending || sites.hasNextPage ? [] : unprotectedSites(nodes.items, sites.items)),
    [nodes.items, sites],
  );
  // With the sites: what was found stands above the nodes, and each node says how many sites it has.
  const isPending =
    nodes.isPending ||
    ((sites.isPending || sites.hasNextPage) && sites.error === null && nodes.items.length > 0);
  const siteCounts = useMemo(() => Map.groupBy(sites.items, ({ node_id: id }) => id), [sites.items]);
  return (
    <>
      <div className="page-head">
        <h1>Nodes</h1>
        <div className="actions">
          <IfMay to="createEnrollmentToken">
            <Button look="primary" icon="plus" onClick={() => setIsEnrolling(true)}>
              Enrol a node
            </Button>
          </IfMay>
        </div>
      </div>
      {nodes.error === null ? null : <FaultNote fault={nodes.error} onRetry={nodes.refetch} />}
      {found.length > 0 ? <DiscoveredPanel found={found} /> : null}
      <Panel title="Enrolled">
        {isPending && nodes.error === null ? <Skeleton rows={3} /> : null}
        {!nodes.isPending && nodes.items.length === 0 ? (
          <Empty title="No node yet">
            <p>
              A node is a server with WordPress sites. Enrol it with one command; it finds its sites by
              itself.
            </p>
          </Empty>
        ) : null}
        {nodes.items.length > 0 && !isPending ? (
          <div className="table-scroll">
            <table>
              <thead>
                <tr>
                  <th>Node</th>
                  <th>State</th>
                  <th className="num">Sites</th>
                  <th>Last seen</th>
                  <th>Version</th>
                  <th className="num">Free disk</th>
                </tr>
              </thead>
              <tbody>
                {worstFirst(nodes.items, now).map((node) => (
                  <NodeRow key={node.id} node={node} sites={siteCounts.get(node.id)?.length ?? 0} />
                ))}
              </tbody>
            </table>
          </div>
        ) : null}
      </Panel>
      {isEnrolling ? <EnrolDialog onClose={() => setIsEnrolling(false)} /> : null}
    </>
  );
}

function NodeRow({ node, sites }: { node: Node; sites: number }): ReactNode {
  const state = nodeState(node, useNow());
  return (
    <tr>
      <td>
        <Link href={`/nodes/${node.id}`}>{node.name}</Link>
      </td>
      <td>
        <Badge tone={state.tone}>{state.word}</Badge>
      </td>
      <td className="num">{sites}</td>
      <td className="nowrap">{node.last_seen_at === undefined ? "never" : <Ago at={node.last_seen_at} />}</td>
      <td>{node.version ?? ""}</td>
      <td className="num">
        {node.disk_free_bytes === undefined ? (
          ""
        ) : (
          <span className={isDiskLow(node) ? "warn-text" : undefined}>
            {isDiskLow(node) ? "low: " : ""}
            {bytes(node.disk_free_bytes)}
            {node.disk_total_bytes === undefined ? "" : ` of ${bytes(node.disk_total_bytes)}`}
          </span>
        )}
      </td>
    </tr>
  );
}
