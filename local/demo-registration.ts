// Makes the demo site known to the Master, once: what an operator does by hand for each of their sites.
import type { MasterClient } from "#runner/io/master-client.ts";
import type { Site } from "#shared/contracts/sites.ts";

export const DEMO_SITE_NAME = "demo.localhost";

const SCHEDULE = { expression: "cron(0 * * * ? *)", time_zone: "UTC", flexible_minutes: 0, enabled: true };

/** The demo site's record on the one node of this stack. */
export async function ensureDemoRegistered(operator: MasterClient, siteDir: string): Promise<Site> {
  const { items: nodes } = await operator.call("listNodes", {});
  const node = nodes.find((each) => each.state === "active");
  if (node === undefined) throw new Error("No node is enrolled at this Master.");
  const { items: sites } = await operator.call("listSites", {});
  const known = sites.find((site) => site.node_id === node.id && site.name === DEMO_SITE_NAME);
  if (known === undefined) {
    const body = { node_id: node.id, name: DEMO_SITE_NAME, path: siteDir, schedule: SCHEDULE };
    return await operator.call("createSite", { body });
  }
  if (known.path === siteDir) return known;
  return await operator.call("patchSite", { params: { id: known.id }, body: { path: siteDir } });
}
