// What a month of AWS costs, from what is called how often. Pure; docs/COSTS.md and the simulation use the same numbers.
import type { Calls } from "./tally.ts";

/** US dollars, us-east-1, on demand, without free tiers; from the services' public price pages, 2026-11. */
export const PRICES = {
  /** Per million. */
  httpApi: 1.0,
  lambdaRequests: 0.2,
  sqsRequests: 0.4,
  schedulerInvocations: 1.0,
  dynamodbWrites: 0.625,
  dynamodbReads: 0.125,
  /** Per GB-second, arm64. */
  lambdaGbSeconds: 0.0000133334,
  /** Per thousand. */
  s3Puts: 0.005,
  s3Gets: 0.0004,
  /** Per GB and month. */
  s3Gigabyte: 0.023,
  dynamodbGigabyte: 0.25 + 0.2,
  /** Per GB that is written. */
  logsGigabyte: 0.5,
} as const;

/** What one call of the API takes, estimated from what its function reads and writes; a transactional write counts twice. */
interface CallCost {
  readonly reads: number;
  readonly writes: number;
  readonly milliseconds: number;
}
/** Every call is authorized: one more function call, and one read of its principal that is cached for a while. */
const AUTHORIZER: CallCost = { reads: 1, writes: 0, milliseconds: 6 };
const API_CALLS: Readonly<Record<ApiCall, CallCost>> = {
  getNodeConfig: { reads: 8, writes: 0, milliseconds: 60 },
  // Site and job are read and written in one transaction; both have entries in indexes.
  claimJob: { reads: 4, writes: 12, milliseconds: 40 },
  checkSiteQuota: { reads: 10, writes: 0, milliseconds: 25 },
  patchJob: { reads: 0, writes: 3, milliseconds: 12 },
  reportBackup: { reads: 4, writes: 24, milliseconds: 60 },
  heartbeatNode: { reads: 1, writes: 4, milliseconds: 12 },
};
type ApiCall = Exclude<keyof Calls, "sqsReceive" | "sqsOther" | "scheduled" | "watchRuns">;
const FUNCTION_GB = 0.5;
const LOG_BYTES_PER_CALL = 700;
/** Of a watch run, for each thousand sites: what it reads in pages of 1 MB, and how long it takes with 1.77 GB. */
const WATCH = { readsPerThousandSites: 100, secondsPerThousandSites: 0.15, gb: 1.73 };
/** An incremental backup: create, some parts and copies, complete; head and index. */
const S3_PUTS_PER_BACKUP = 8;
const S3_GETS_PER_BACKUP = 3;
const RECORD_BYTES_PER_BACKUP = 6_000;

export interface Fleet {
  readonly sites: number;
  readonly nodes: number;
  /** Bytes that all archives take together, on average. */
  readonly storedBytes: number;
}

export interface CostLine {
  readonly what: string;
  readonly dollars: number;
}

/** Of the calls of one month. The storage's bill is its own line: it is the operator's bucket whatever makes the backups. */
export function costOf(calls: Calls, fleet: Fleet): CostLine[] {
  const api = Object.entries(API_CALLS) as [ApiCall, CallCost][];
  const apiCalls = sum(api.map(([name]) => calls[name]));
  const perApiCall = (pick: (cost: CallCost) => number): number =>
    sum(api.map(([name, cost]) => calls[name] * (pick(cost) + pick(AUTHORIZER))));
  const watchThousands = (calls.watchRuns * fleet.sites) / 1000;
  const reads = perApiCall(({ reads: count }) => count) + watchThousands * WATCH.readsPerThousandSites;
  const writes = perApiCall(({ writes: count }) => count);
  const gbSeconds =
    (perApiCall(({ milliseconds }) => milliseconds) / 1000) * FUNCTION_GB +
    watchThousands * WATCH.secondsPerThousandSites * WATCH.gb;
  const backups = calls.reportBackup;
  const sqs = calls.sqsReceive + calls.sqsOther + calls.scheduled;
  return [
    { what: "API Gateway", dollars: (apiCalls / 1e6) * PRICES.httpApi },
    {
      what: "Lambda",
      dollars: ((apiCalls * 2) / 1e6) * PRICES.lambdaRequests + gbSeconds * PRICES.lambdaGbSeconds,
    },
    {
      what: "DynamoDB",
      dollars:
        (reads / 1e6) * PRICES.dynamodbReads +
        (writes / 1e6) * PRICES.dynamodbWrites +
        ((backups * RECORD_BYTES_PER_BACKUP) / 1e9) * PRICES.dynamodbGigabyte,
    },
    { what: "SQS", dollars: (sqs / 1e6) * PRICES.sqsRequests },
    { what: "EventBridge Scheduler", dollars: (calls.scheduled / 1e6) * PRICES.schedulerInvocations },
    { what: "CloudWatch Logs", dollars: ((apiCalls * LOG_BYTES_PER_CALL) / 1e9) * PRICES.logsGigabyte },
    {
      what: "S3 requests",
      dollars:
        ((backups * S3_PUTS_PER_BACKUP) / 1000) * PRICES.s3Puts +
        ((backups * S3_GETS_PER_BACKUP) / 1000) * PRICES.s3Gets,
    },
    { what: "S3 storage", dollars: (fleet.storedBytes / 1e9) * PRICES.s3Gigabyte },
  ];
}

/** What a fleet calls in 30 days, each site once a day; `jobSeconds` long, with progress each ten seconds. */
export function callsOfMonth({ sites, nodes }: Fleet, jobSeconds = 45): Calls {
  const days = 30;
  const jobs = sites * days;
  const seconds = days * 86_400;
  return {
    getNodeConfig: jobs,
    claimJob: jobs,
    checkSiteQuota: jobs,
    patchJob: Math.round((jobs * jobSeconds) / 10),
    reportBackup: jobs,
    heartbeatNode: (nodes * seconds) / 60,
    sqsReceive: Math.max(0, Math.round((nodes * seconds - jobs * jobSeconds) / 20)) + jobs,
    sqsOther: Math.round((jobs * jobSeconds) / 10) + jobs,
    scheduled: jobs,
    watchRuns: days * 96,
  };
}

export function totalOf(lines: readonly CostLine[], without: readonly string[] = []): number {
  return sum(lines.filter(({ what }) => !without.includes(what)).map(({ dollars }) => dollars));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
