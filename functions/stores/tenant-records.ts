// The Master's records as an operator of a tenant has them: what is anybody else's is not there, lists are read from the
// tenants' index, and what is not theirs cannot be written. serve.ts hands handlers nothing else, so none can forget to
// ask. Every method is written out: one that is added to a store does not compile until it is decided here.
import { BackupError } from "#shared/errors.ts";
import type { Step } from "../core/job-state.ts";
import type { ActivityRecords } from "./activity-records.ts";
import type { AlertRecords } from "./alert-records.ts";
import type { BackupRecords } from "./backup-records.ts";
import type { DeletedBackupRecords } from "./deleted-backup-records.ts";
import type { JobRecords } from "./job-records.ts";
import type { NodeRecords } from "./node-records.ts";
import type { Page } from "./page.ts";
import type { ProviderRecords } from "./provider-records.ts";
import type { Records } from "./records.ts";
import type { SiteRecords } from "./site-records.ts";
import type { ApiTokenRecords, EnrollmentTokenRecords } from "./token-records.ts";

export function recordsOf(tenant: string, all: Records): Records {
  const whose: Whose = {
    tenant,
    all,
    own: (record) => (record?.tenant === tenant ? record : undefined),
    isOwnNode: async (id) => (await all.nodes.get(id))?.tenant === tenant,
    isOwnSite: async (id) => (await all.sites.get(id))?.tenant === tenant,
  };
  return {
    nodes: nodesOf(whose),
    sites: sitesOf(whose),
    jobs: jobsOf(whose),
    backups: backupsOf(whose),
    deletedBackups: deletedBackupsOf(whose),
    enrollmentTokens: enrollmentTokensOf(whose),
    apiTokens: apiTokensOf(whose),
    activity: activityOf(whose),
    alerts: alertsOf(whose),
    // serve.ts keeps the keys itself, by caller and tenant, before any handler is asked.
    chores: { last: refused, save: refused },
    storageSamples: { save: refused, since: refused },
    idempotency: { get: refused, begin: refused, end: refused },
    providers: NO_PROVIDERS,
    async commit(step) {
      for (const id of sitesIn(step)) await mustBe(whose.isOwnSite(id));
      await mustBe(step.site === undefined || step.site.after.tenant === tenant);
      return all.commit(step);
    },
    transact: refused,
  };
}

/** Where archives lie is the fleet owner's business. */
const NO_PROVIDERS: ProviderRecords = {
  get: refused,
  all: refused,
  create: refused,
  restore: refused,
  change: refused,
  remove: refused,
  choices: refused,
  forgetChoices: refused,
  chooseItems: refused,
  restoreChoice: refused,
};

interface Whose {
  readonly tenant: string;
  readonly all: Records;
  readonly own: <T extends { readonly tenant?: string }>(record: T | undefined) => T | undefined;
  readonly isOwnNode: (id: string) => Promise<boolean>;
  /** A site says whose its jobs and backups are: what they say themselves may be of before it was moved. */
  readonly isOwnSite: (id: string) => Promise<boolean>;
}

/** Of calls that no operator of a tenant gets as far as. */
function refused(): never {
  throw new BackupError("fleet_owner_only");
}

/** It was read through here, so it has been moved away since; or a handler has a fault. */
async function mustBe(isOwn: boolean | Promise<boolean>): Promise<void> {
  if (!(await isOwn)) throw new BackupError("not_found");
}

function sitesIn({ jobs, site, backup, mark, deleted }: Step): Set<string> {
  const ids = [
    ...jobs.flatMap(({ before, after }) => [before?.site_id, after.site_id]),
    ...[site?.before?.id, site?.after.id],
    ...[backup, mark?.backup, deleted?.backup].map((one) => one?.site_id),
  ];
  return new Set(ids.filter((id) => id !== undefined));
}

const nothing = <T>(): Page<T> => ({ items: [], next_cursor: null });

function nodesOf({ tenant, all, own, isOwnNode, isOwnSite }: Whose): NodeRecords {
  const { nodes } = all;
  return {
    get: async (id) => own(await nodes.get(id)),
    list: (page) => nodes.listOfTenant(page, tenant),
    listOfTenant: refused,
    all: () => nodes.allOfTenant(tenant),
    allOfTenant: refused,
    everyOne: refused,
    hostOf: async (site) => ((await isOwnSite(site.id)) ? nodes.hostOf(site) : undefined),
    change: async (id, change) => ((await isOwnNode(id)) ? nodes.change(id, change, tenant) : undefined),
    changeTenant: refused,
    heartbeat: refused,
    async remove(node) {
      await mustBe(isOwnNode(node.id));
      return nodes.remove(node);
    },
    createItems: refused,
    restore: refused,
    rekeyItems: refused,
    countRestored: refused,
    countSite: refused,
    moveSiteItem: refused,
    signingKeyTaken: refused,
  };
}

function sitesOf({ tenant, all, own, isOwnNode, isOwnSite }: Whose): SiteRecords {
  const { sites } = all;
  const mustStay = async ({ before, after }: Parameters<SiteRecords["change"]>[0]): Promise<void> => {
    await mustBe(isOwnSite(before.id));
    await mustBe(after.tenant === tenant);
  };
  return {
    get: async (id) => own(await sites.get(id)),
    list: async (page, nodeId) =>
      nodeId === undefined
        ? sites.listOfTenant(page, tenant)
        : (await isOwnNode(nodeId))
          ? sites.list(page, nodeId)
          : nothing(),
    listOfTenant: refused,
    all: () => sites.allOfTenant(tenant),
    allOfTenant: refused,
    everyOne: refused,
    ofNode: async (nodeId) => ((await isOwnNode(nodeId)) ? sites.ofNode(nodeId) : []),
    // What else would be written is a choice of storage, which is the fleet owner's.
    async create(site, also = []) {
      await mustBe(also.length === 0 && site.tenant === tenant && isOwnNode(site.node_id));
      return sites.create(site);
    },
    restore: refused,
    async change(change, also = []) {
      await mustBe(also.length === 0);
      await mustStay(change);
      return sites.change(change);
    },
    async remove(change) {
      await mustStay(change);
      return sites.remove(change);
    },
    async taken(site) {
      await mustBe(site.tenant === tenant);
      return sites.taken(site);
    },
    changeItem: refused,
  };
}

function jobsOf({ tenant, all, isOwnSite }: Whose): JobRecords {
  const { jobs } = all;
  return {
    async get(id) {
      const job = await jobs.get(id);
      return job !== undefined && (await isOwnSite(job.site_id)) ? job : undefined;
    },
    list: async (page, siteId) =>
      siteId === undefined
        ? jobs.listOfTenant(page, tenant)
        : (await isOwnSite(siteId))
          ? jobs.list(page, siteId)
          : nothing(),
    listOfTenant: refused,
    ofSite: refused,
    madeBetween: refused,
    renew: refused,
    changeItem: refused,
  };
}

function backupsOf({ tenant, all, isOwnSite }: Whose): BackupRecords {
  const { backups } = all;
  return {
    async get(id) {
      const backup = await backups.get(id);
      return backup !== undefined && (await isOwnSite(backup.site_id)) ? backup : undefined;
    },
    list: (page) => backups.listOfTenant(page, tenant),
    listOfSite: async (page, site) =>
      (await isOwnSite(site.id)) ? backups.listOfSite(page, site) : nothing(),
    listOfNode: refused,
    listOfTenant: refused,
    // Sizes only, which a quota adds up: what may be shown of the sum is for quotas.ts.
    inventoryOf: refused,
    usedByNode: (nodeId) => backups.usedByNode(nodeId),
    newestOfSite: async (nodeId, siteId, limit) =>
      (await isOwnSite(siteId)) ? backups.newestOfSite(nodeId, siteId, limit) : [],
    ofSite: async (nodeId, siteId) => ((await isOwnSite(siteId)) ? backups.ofSite(nodeId, siteId) : []),
    isPathUsed: refused,
    countAt: refused,
    changeTenant: refused,
    createItem: refused,
    markItem: refused,
    deleteItem: refused,
  };
}

function deletedBackupsOf({ all, isOwnSite }: Whose): DeletedBackupRecords {
  const { deletedBackups } = all;
  return {
    async get(id) {
      const deleted = await deletedBackups.get(id);
      return deleted !== undefined && (await isOwnSite(deleted.backup.site_id)) ? deleted : undefined;
    },
    withObject: refused,
    async objectGone(deleted) {
      await mustBe(isOwnSite(deleted.backup.site_id));
      return deletedBackups.objectGone(deleted);
    },
    createItem: refused,
  };
}

function enrollmentTokensOf({ tenant, all, own }: Whose): EnrollmentTokenRecords {
  const { enrollmentTokens: tokens } = all;
  return {
    get: async (id) => own(await tokens.get(id)),
    list: (page) => tokens.listOfTenant(page, tenant),
    listOfTenant: refused,
    async create(token) {
      await mustBe(token.tenant === tenant);
      return tokens.create(token);
    },
    revoke: async (id, at) => own(await tokens.get(id)) !== undefined && tokens.revoke(id, at),
    useItem: refused,
  };
}

function apiTokensOf({ tenant, all, own }: Whose): ApiTokenRecords {
  const { apiTokens: tokens } = all;
  return {
    get: async (id) => own(await tokens.get(id)),
    list: (page) => tokens.listOfTenant(page, tenant),
    listOfTenant: refused,
    async create(token) {
      await mustBe(token.tenant === tenant);
      return tokens.create(token);
    },
    revoke: async (id, at) => own(await tokens.get(id)) !== undefined && tokens.revoke(id, at),
  };
}

function activityOf({ tenant, all }: Whose): ActivityRecords {
  const { activity } = all;
  return {
    add: (one) => activity.add({ ...one, tenant }),
    addItem: refused,
    list: (page) => activity.listOfTenant(page, tenant),
    listOfTenant: refused,
  };
}

function alertsOf({ tenant, all }: Whose): AlertRecords {
  const { alerts } = all;
  return {
    all: () => alerts.allOfTenant(tenant),
    allOfTenant: refused,
    save: refused,
    remove: refused,
  };
}
