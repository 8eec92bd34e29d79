// A fleet that two tenants share: each has a node of its own, a site on a node of nobody's, and one of everything that the
// Master keeps. Whatever is a tenant's has the tenant's name in its own name, so that a leak can be searched for.
import { randomUUID } from "node:crypto";
import type { ApiClient } from "./api-client.ts";
import { finishBackup } from "./finished-backup.ts";
import { filesOf, readableArchive } from "./indexed-archive.ts";
import type { Master, TestNode } from "./master.ts";
import { failureReport } from "./reports.ts";

export interface Tenancy {
  readonly tenant: string;
  readonly admin: ApiClient;
  readonly node: TestNode;
  /** On the tenant's own node, each for calls that would be in each other's way. */
  readonly sites: Readonly<Record<Purpose, string>>;
  readonly sharedSite: string;
  readonly backups: Readonly<Record<"kept" | "deleted" | "gone", string>>;
  readonly jobs: Readonly<Record<"queued" | "done", string>>;
  readonly apiToken: string;
  readonly enrollmentToken: string;
  /** Every id of the above, and the tenant's name. */
  readonly marks: readonly string[];
}

const PURPOSES = ["backups", "start", "stop", "queued", "restore", "failing", "removed"] as const;
export type Purpose = (typeof PURPOSES)[number];

export async function makeTenancy(master: Master, tenant: string, shared: TestNode): Promise<Tenancy> {
  const owner = master.admin;
  const node = await master.enrolNode(`web.${tenant}.example.com`, tenant);
  const admin = await master.operator("admin", tenant);
  const makeSite = async (nodeId: string, purpose: string): Promise<string> => {
    const name = `${purpose}.${tenant}.example.com`;
    const body = { node_id: nodeId, name, path: `/var/www/${name}`, tenant };
    return (await owner.call("createSite", { body })).id;
  };
  const sites = {} as Record<Purpose, string>;
  for (const purpose of PURPOSES) sites[purpose] = await makeSite(node.id, purpose);
  const sharedSite = await makeSite(shared.id, "shared");

  const contents = { "database.sql": Buffer.from("x"), [`wp-content/${tenant}.txt`]: Buffer.from("y") };
  const { object, sha256Index } = await readableArchive(
    filesOf({ "database.sql": 1, [`wp-content/${tenant}.txt`]: 1 }),
    contents,
    4096,
  );
  const backUp = (siteId: string, by: TestNode = node) =>
    finishBackup(master, by, siteId, { body: object, archive: { sha256_index: sha256Index } });
  const [kept, deleted, gone, restorable] = [
    await backUp(sites.backups),
    await backUp(sites.backups),
    await backUp(sites.backups),
    await backUp(sites.restore),
  ];
  const onShared = await backUp(sharedSite, shared);
  await owner.call("deleteBackup", { id: gone.id });
  const { job_id: queued } = await owner.call("startBackup", { id: sites.queued, body: {} });
  await fail(node, sites.failing);

  const token = await owner.call("createApiToken", { body: { label: tenant, role: "viewer", tenant } });
  const enrolment = await owner.call("createEnrollmentToken", { body: { label: tenant, tenant } });
  const ids = [...Object.values(sites), sharedSite, node.id, queued, token.id, enrolment.id];
  const backups = [kept, deleted, gone, restorable, onShared].flatMap(({ id, jobId }) => [id, jobId]);
  return {
    ...{ tenant, admin, node, sites, sharedSite },
    backups: { kept: kept.id, deleted: deleted.id, gone: gone.id },
    jobs: { queued, done: kept.jobId },
    apiToken: token.id,
    enrollmentToken: enrolment.id,
    marks: [tenant, ...ids, ...backups],
  };
}

async function fail(node: TestNode, siteId: string): Promise<void> {
  const body = { site_id: siteId, runner_id: randomUUID(), trigger: "manual" as const, create: true };
  const claim = await node.client.call("claimJob", { id: randomUUID(), body });
  await node.client.call("reportBackup", { body: failureReport(claim) });
}
