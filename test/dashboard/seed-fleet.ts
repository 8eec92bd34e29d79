// A fleet that looks lived in, for screenshots and for tests that need many states at once: written into the records
// directly, because a month of history cannot be made by calls of today.
import { createHash, randomUUID } from "node:crypto";
import type { BackupRecord, JobRecord, SiteRecord } from "#functions/core/records.ts";
import { FLEET } from "#functions/core/storage-use.ts";
import { openRecords, type Records } from "#functions/stores/records.ts";
import type { Archive } from "#shared/contracts/backups.ts";
import type { Schedule } from "#shared/contracts/sites.ts";
import type { Master, TestNode } from "#test/helpers/master.ts";

const DAY_MS = 86_400_000;
const DAYS = 30;
/** An odd multiplier and a shift: the same fleet every time. */
function randomness(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

type Story = "good" | "failing" | "overdue" | "flaky" | "new" | "paused" | "unscheduled";

const SITES: readonly (readonly [name: string, story: Story, gigabytes: number])[] = [
  ["shop.northwind.example", "good", 18.4],
  ["magazine.lumen.example", "good", 42.7],
  ["tickets.harbour.example", "failing", 6.2],
  ["intranet.bergwerk.example", "overdue", 3.1],
  ["news.fjord.example", "good", 27.9],
  ["recipes.olive.example", "flaky", 9.8],
  ["wiki.studio-nord.example", "good", 1.4],
  ["academy.linden.example", "good", 14.2],
  ["blog.papierboot.example", "new", 0],
  ["club.rudern.example", "good", 2.2],
  ["museum.hafen.example", "good", 33.5],
  ["jobs.werft.example", "good", 0.8],
  ["radio.kiez.example", "flaky", 21.0],
  ["archive.verlag.example", "paused", 58.3],
  ["praxis.morgen.example", "good", 0.6],
  ["hotel.seeblick.example", "good", 4.9],
  ["landing.spring.example", "unscheduled", 0.3],
  ["forum.garten.example", "good", 11.6],
  ["events.halle.example", "good", 7.7],
  ["press.atelier.example", "good", 5.5],
  ["kita.sonne.example", "good", 0.4],
  ["wine.terrasse.example", "good", 12.1],
  ["bikes.werk.example", "good", 8.8],
  ["choir.stimme.example", "good", 1.9],
];

const NIGHTLY: Schedule = {
  expression: "cron(0 2 * * ? *)",
  time_zone: "Europe/Berlin",
  flexible_minutes: 30,
  enabled: true,
};

export interface SeededFleet {
  readonly nodes: readonly TestNode[];
  readonly sites: Readonly<Record<string, SiteRecord>>;
}

export async function seedFleet(master: Master, now = new Date()): Promise<SeededFleet> {
  const records = openRecords({ tableName: "backupd-local" });
  const nodes: TestNode[] = [];
  for (const name of ["web1.example.com", "web2.example.com", "web3.example.com"]) {
    nodes.push(await master.enrolNode(name));
  }
  const sites: Record<string, SiteRecord> = {};
  for (const [at, [name, story, gigabytes]] of SITES.entries()) {
    const node = nodes[at % 3];
    if (node === undefined) throw new Error("three nodes were enrolled");
    const { id } = await master.createSite(node.id, name, `/var/www/${name}`);
    sites[name] = await tell(records, id, story, gigabytes * 1e9, { now, random: randomness(at + 7) });
  }
  await sampleStorage(records, now);
  for (const [at, node] of nodes.entries()) await beat(node, at);
  for (const name of ["tickets.harbour.example", "intranet.bergwerk.example"]) {
    await tellAlert(records, sites[name], new Date(now.getTime() - DAY_MS).toISOString());
  }
  return { nodes, sites };
}

/** As the daily chore would have, had it seen the month. */
async function sampleStorage(records: Records, now: Date): Promise<void> {
  const nightly = SITES.reduce((sum, [, , gigabytes]) => sum + gigabytes * 1e9, 0);
  for (let day = 1; day <= DAYS; day += 1) {
    const date = new Date(now.getTime() - (DAYS - day) * DAY_MS).toISOString().slice(0, 10);
    const use = { bytes: Math.round(nightly * day * 0.9), backups: SITES.length * day };
    await records.storageSamples.save({ scope: FLEET, date, ...use });
  }
}

async function beat(node: TestNode, at: number): Promise<void> {
  const own = SITES.filter((_, index) => index % 3 === at).map(([name]) => ({
    path: `/var/www/${name}`,
    url: `https://${name}`,
  }));
  const found =
    at === 1
      ? [{ path: "/var/www/staging.northwind.example", url: "https://staging.northwind.example" }]
      : [];
  await node.client.call("heartbeatNode", {
    body: {
      version: "0.1.0",
      platform: "linux x64",
      disk_free_bytes: [212e9, 38e9, 9e9][at] ?? 0,
      disk_total_bytes: 480e9,
      running_job_id: null,
      outbox_length: 0,
      discovered_sites: [...own, ...found],
    },
  });
}

/** As the watch would have. */
async function tellAlert(records: Records, site: SiteRecord | undefined, at: string): Promise<void> {
  if (site === undefined) throw new Error("the seed has changed");
  const kind = site.last_job?.state === "failed" ? "site_failing" : "site_overdue";
  await records.alerts.save({
    key: `${kind}:${site.id}`,
    kind,
    target: { kind: "site", id: site.id },
    text: `${site.name} is ${kind === "site_failing" ? "failing" : "overdue"}: its newest backup is of ${site.last_backup_at ?? "never"}.`,
    ...{ state: "open", opened_at: at, told_at: at, told: 1 },
  });
}

interface World {
  readonly now: Date;
  readonly random: () => number;
}

/** Writes a month of backups and jobs, and what they leave on the site. */
async function tell(
  records: Records,
  id: string,
  story: Story,
  bytes: number,
  world: World,
): Promise<SiteRecord> {
  const before = await records.sites.get(id);
  if (before === undefined) throw new Error("the site was just made");
  const outcomes = outcomesOf(story, world.random);
  let last: Partial<SiteRecord> = {};
  for (const [day, outcome] of outcomes.entries()) {
    if (outcome === "-") continue;
    const at = new Date(world.now.getTime() - (DAYS - 1 - day) * DAY_MS - (3 + world.random()) * 3_600_000);
    const size = Math.round(bytes * (0.8 + 0.2 * (day / DAYS)) * (0.99 + 0.02 * world.random()));
    last = {
      ...last,
      ...(await tellDay(records, before, at, outcome === "f" ? undefined : size, day, world)),
    };
  }
  const after: SiteRecord = {
    ...before,
    ...last,
    created_at: new Date(world.now.getTime() - 200 * DAY_MS).toISOString(),
    state: story === "paused" ? "paused" : "active",
    quota_bytes: Math.round(bytes * 30 + 1e9),
    ...(story === "unscheduled" ? {} : { schedule: NIGHTLY }),
    ...(story === "good" ? { last_proved_at: new Date(world.now.getTime() - 3 * DAY_MS).toISOString() } : {}),
    ...(story === "new"
      ? {}
      : { recent_days: { until: world.now.toISOString().slice(0, 10), outcomes: outcomes.join("") } }),
  };
  await records.sites.change({ before, after });
  return after;
}

/** One letter per day, oldest first; the record's own alphabet. */
function outcomesOf(story: Story, random: () => number): string[] {
  return Array.from({ length: DAYS }, (_, day) => {
    const fromEnd = DAYS - day;
    if (story === "new") return "-";
    if (story === "failing") return fromEnd <= 3 ? "f" : "s";
    if (story === "overdue") return fromEnd <= 4 ? "-" : "s";
    if (story === "paused") return fromEnd <= 12 ? "-" : "s";
    if (story === "unscheduled") return fromEnd === 20 ? "s" : "-";
    if (story === "flaky" && random() < 0.15 && fromEnd > 1) return random() < 0.5 ? "m" : "f";
    return "s";
  });
}

async function tellDay(
  records: Records,
  site: SiteRecord,
  at: Date,
  size: number | undefined,
  day: number,
  { random }: World,
): Promise<Partial<SiteRecord>> {
  const seconds = 40 + ((size ?? 0) / 1e9) * (day % 15 === 0 ? 9 : 2.2) + 20 * random();
  const ended = new Date(at.getTime() + seconds * 1000).toISOString();
  const job = jobOf(site, at, ended);
  const error = {
    code: "db_access_denied",
    message: "Access denied for user 'wp_tickets'@'localhost' (using password: YES)",
    hint: "Check DB_USER and DB_PASSWORD in wp-config.php; try them with the mysql client.",
  };
  const backup = size === undefined ? undefined : backupOf(site, job, at, ended, size, day % 15 === 0);
  const done: JobRecord =
    backup === undefined
      ? { ...job, state: "failed", error }
      : { ...job, state: "succeeded", backup_id: backup.id };
  await records.commit({
    jobs: [{ before: undefined, after: done }],
    ...(backup === undefined ? {} : { backup }),
  });
  const lastJob = { id: job.id, state: done.state, ended_at: ended, code: done.error?.code ?? null };
  if (backup === undefined) return { last_job: lastJob, last_job_id: job.id };
  return {
    last_job: lastJob,
    last_job_id: job.id,
    last_backup_id: backup.id,
    last_backup_at: backup.created_at,
    last_backup_bytes: backup.size_bytes,
  };
}

function jobOf(site: SiteRecord, at: Date, ended: string): JobRecord {
  return {
    id: randomUUID(),
    version: 1,
    type: "backup",
    site_id: site.id,
    site_name: site.name,
    node_id: site.node_id,
    trigger: "schedule",
    state: "running",
    created_at: at.toISOString(),
    scheduled_at: at.toISOString(),
    deadline_at: new Date(at.getTime() + DAY_MS).toISOString(),
    started_at: at.toISOString(),
    ended_at: ended,
    attempt: 1,
    max_attempts: 3,
    fencing: 1,
    cancel_requested: false,
    reported: true,
  };
}

function backupOf(
  site: SiteRecord,
  job: JobRecord,
  at: Date,
  ended: string,
  size: number,
  isFull: boolean,
): BackupRecord {
  const uploaded = isFull ? size : Math.round(size * 0.03 + 4e6);
  const seconds = (Date.parse(ended) - at.getTime()) / 1000;
  const parts = {
    preflight: 0.01,
    quota: 0.01,
    dump: 0.2,
    plan: 0.05,
    archive: 0.68,
    complete: 0.03,
    report: 0.01,
    cleanup: 0.01,
  };
  return {
    id: randomUUID(),
    job_id: job.id,
    site_id: site.id,
    site_name: site.name,
    node_id: site.node_id,
    trigger: "schedule",
    created_at: at.toISOString(),
    s3_path: `/${site.node_id}/${site.id}/${site.name}_${at.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "_")}.tar.zst`,
    size_bytes: size,
    archive: archiveOf(size, uploaded, isFull),
    started_at: at.toISOString(),
    finished_at: ended,
    stages: Object.entries(parts).map(([name, part]) => ({
      name,
      seconds: part * seconds,
    })) as BackupRecord["stages"],
    warnings: isFull
      ? [
          {
            code: "file_changed",
            message: "wp-content/debug.log changed while it was read; the next backup reads it again.",
          },
        ]
      : [],
    warnings_total: isFull ? 1 : 0,
  };
}

function archiveOf(size: number, uploaded: number, isFull: boolean): Archive {
  const files = Math.round(size / 180_000);
  const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
  return {
    format: 1,
    sha256_index: sha(`index ${size}`),
    sha256_dump: sha(`dump ${size}`),
    etag: `"${sha("etag").slice(0, 32)}-12"`,
    mode: isFull ? "full" : "incremental",
    full_reason: isFull ? "periodic" : null,
    frames: Math.max(1, Math.round(size / 3e6)),
    tar_bytes: Math.round(size * 1.4),
    index_bytes: 90_000,
    bytes_read: Math.round(uploaded * 1.4),
    bytes_compressed: uploaded,
    bytes_uploaded: uploaded,
    bytes_copied: size - uploaded,
    bytes_resumed: 0,
    requests: 42,
    files,
    entries: Math.max(1, Math.round(files * 1.1)),
    entries_unchanged: isFull ? 0 : files - 61,
    entries_changed: 18,
    entries_added: 43,
    entries_deleted: 5,
    files_bytes: Math.round(size * 1.3),
    db_bytes: Math.round(size * 0.1),
    peak_rss_bytes: 180_000_000,
  };
}
