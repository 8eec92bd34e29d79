// Whether a proof may run a site's own code: on a node that a tenant shares with others, the API refuses that to the
// tenant's operators, and does not show them the node.
import { useCall } from "./hooks.ts";
import { useMe } from "./role.tsx";

const SELDOM = { everyMs: 10 * 60_000 };

/** Beside what the operator's role allows. Until the node is known it may: the API has the last word. */
export function useMayBoot(siteId: string): boolean {
  const isTenants = useMe().tenant !== null;
  const site = useCall("getSite", { params: { id: siteId } }, { ...SELDOM, enabled: isTenants });
  const nodeId = site.data?.node_id ?? "";
  const node = useCall("getNode", { params: { id: nodeId } }, { ...SELDOM, enabled: nodeId !== "" });
  return !isTenants || node.data !== undefined || (site.error ?? node.error) === null;
}
