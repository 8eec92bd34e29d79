// Jobs. Whole records are written under a condition on their version; only the frequent lease renewal is an update.
import { CustomAttributeType, Entity } from "electrodb";
import type { Warning } from "#shared/contracts/backups.ts";
import type { ErrorReport } from "#shared/contracts/common.ts";
import {
  JOB_STATES,
  JOB_TYPES,
  type JobRequest,
  type JobResult,
  type Progress,
} from "#shared/contracts/jobs.ts";
import type { Finding } from "#shared/contracts/restores.ts";
import type { Change } from "../core/job-state.ts";
import type { JobRecord } from "../core/records.ts";
import { ifCondition } from "./node-records.ts";
import { type Page, type PageRequest, readPage } from "./page.ts";
import { key, ofTenant, type Table } from "./table.ts";
import { asPut, type WriteItem } from "./transact.ts";

function jobEntity(table: Table) {
  return new Entity(
    {
      model: { entity: "job", version: "1", service: "backupd" },
      attributes: {
        id: { type: "string", required: true },
        tenant: { type: "string" },
        version: { type: "number", required: true },
        type: { type: JOB_TYPES, required: true },
        site_id: { type: "string", required: true },
        site_name: { type: "string", required: true },
        node_id: { type: "string", required: true },
        trigger: { type: ["schedule", "manual"] as const, required: true },
        correlation_id: { type: "string" },
        full: { type: "boolean" },
        state: { type: JOB_STATES, required: true },
        created_at: { type: "string", required: true },
        scheduled_at: { type: "string" },
        deadline_at: { type: "string", required: true },
        started_at: { type: "string" },
        ended_at: { type: "string" },
        attempt: { type: "number", required: true },
        max_attempts: { type: "number", required: true },
        fencing: { type: "number", required: true },
        runner_id: { type: "string" },
        lease_expires_at: { type: "string" },
        s3_path: { type: "string" },
        path_at: { type: "string" },
        provider_id: { type: "string" },
        progress: { type: CustomAttributeType<Progress>("any") },
        cancel_requested: { type: "boolean", required: true },
        backup_id: { type: "string" },
        source_backup_id: { type: "string" },
        request: { type: CustomAttributeType<JobRequest>("any") },
        result: { type: CustomAttributeType<JobResult>("any") },
        findings: { type: CustomAttributeType<Finding[]>("any") },
        reason: { type: "string" },
        error: { type: CustomAttributeType<ErrorReport>("any") },
        stages: { type: CustomAttributeType<NonNullable<JobRecord["stages"]>>("any") },
        warnings: { type: CustomAttributeType<Warning[]>("any") },
        warnings_total: { type: "number" },
        reported: { type: "boolean" },
      },
      indexes: {
        byId: { pk: key("pk", ["id"]), sk: key("sk", []) },
        all: { index: "gsi1", pk: key("gsi1pk", []), sk: key("gsi1sk", ["created_at", "id"]) },
        bySite: { index: "gsi2", pk: key("gsi2pk", ["site_id"]), sk: key("gsi2sk", ["created_at", "id"]) },
        ofTenant: ofTenant(["created_at", "id"]),
      },
    },
    { client: table.client, table: table.name },
  );
}

/** The oldest records are of a time when every job was a backup. */
function withType(job: JobRecord): JobRecord {
  return { ...{ type: "backup" }, ...job };
}

export interface Renewal {
  readonly jobId: string;
  readonly nodeId: string;
  readonly fencing: number;
  readonly leaseExpiresAt: string;
  readonly progress: Progress | undefined;
}

export interface JobRecords {
  get(id: string): Promise<JobRecord | undefined>;
  list(page: PageRequest, siteId?: string): Promise<Page<JobRecord>>;
  /** Those of a site that were made between the two instants. */
  madeBetween(siteId: string, from: Date, to: Date): Promise<JobRecord[]>;
  listOfTenant(page: PageRequest, tenant: string): Promise<Page<JobRecord>>;
  /** All jobs of a site, a page at a time. */
  ofSite(siteId: string): AsyncGenerator<JobRecord[]>;
  /** One conditional write; undefined when the node does not hold that lease. */
  renew(renewal: Renewal): Promise<JobRecord | undefined>;
  changeItem(change: Change<JobRecord>): WriteItem;
}

export function openJobRecords(table: Table): JobRecords {
  const jobs = jobEntity(table);
  return {
    async get(id) {
      const { data } = await jobs.get({ id }).go({ consistent: true });
      return data === null ? undefined : withType(data);
    },
    async list(page, siteId) {
      const { items, ...rest } =
        siteId === undefined
          ? await readPage("jobs", jobs.query.all({}), page)
          : await readPage(`jobs/${siteId}`, jobs.query.bySite({ site_id: siteId }), page);
      return { ...rest, items: items.map(withType) };
    },
    async madeBetween(siteId, from, to) {
      const query = jobs.query
        .bySite({ site_id: siteId })
        .between({ created_at: from.toISOString() }, { created_at: to.toISOString() });
      return (await query.go({ pages: "all" })).data.map(withType);
    },
    async listOfTenant(page, tenant) {
      const { items, ...rest } = await readPage(`jobs@${tenant}`, jobs.query.ofTenant({ tenant }), page);
      return { ...rest, items: items.map(withType) };
    },
    async *ofSite(siteId) {
      let cursor: string | null = null;
      do {
        const page: { data: JobRecord[]; cursor: string | null } = await jobs.query
          .bySite({ site_id: siteId })
          .go({ cursor });
        yield page.data.map(withType);
        cursor = page.cursor;
      } while (cursor !== null);
    },
    async renew({ jobId, nodeId, fencing, leaseExpiresAt, progress }) {
      const update = jobs
        .update({ id: jobId })
        .set({ lease_expires_at: leaseExpiresAt, ...(progress === undefined ? {} : { progress }) })
        .add({ version: 1 })
        .where(
          (job, { eq }) =>
            `${eq(job.state, "running")} AND ${eq(job.fencing, fencing)} AND ${eq(job.node_id, nodeId)}`,
        );
      const renewed = await ifCondition(update.go({ response: "all_new" }));
      return renewed === undefined ? undefined : (renewed.data as JobRecord);
    },
    changeItem({ before, after }) {
      if (before === undefined) return asPut(jobs.create({ ...after, version: 1 }).params());
      return asPut(
        jobs
          .put({ ...after, version: before.version + 1 })
          .where(({ version }, { eq }) => eq(version, before.version))
          .params(),
      );
    },
  };
}
