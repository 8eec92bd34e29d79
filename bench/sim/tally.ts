// What the simulation counts, and the sums of its workers.

export const OUTCOMES = ["succeeded", "failed", "skipped", "cancelled", "expired"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What AWS bills for. */
export interface Calls {
  getNodeConfig: number;
  claimJob: number;
  checkSiteQuota: number;
  patchJob: number;
  reportBackup: number;
  heartbeatNode: number;
  sqsReceive: number;
  sqsOther: number;
  scheduled: number;
  watchRuns: number;
}

export interface Tally {
  /** Deliveries that schedules asked for; each has to come to exactly one end. */
  due: number;
  ends: Record<Outcome, number>;
  backups: number;
  /** Ends that nothing planted explains. */
  unexplained: string[];
  /** Of which there is more than one backup, or none although the job says so. */
  wrongBackups: string[];
  /** Objects in the storage that no record names. */
  orphans: number;
  /** Jobs without an end when everything had calmed down. */
  withoutEnd: string[];
  retries: number;
  deadLetters: number;
  crashes: number;
  pauses: number;
  secondDeliveries: number;
  /** Of each delivery, by quarter of an hour since the start. */
  arrivals: number[];
  calls: Calls;
  storedBytes: number;
  simulatedJobSeconds: number;
}

export function emptyTally(): Tally {
  return {
    due: 0,
    ends: { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, expired: 0 },
    backups: 0,
    unexplained: [],
    wrongBackups: [],
    orphans: 0,
    withoutEnd: [],
    retries: 0,
    deadLetters: 0,
    crashes: 0,
    pauses: 0,
    secondDeliveries: 0,
    arrivals: [],
    calls: {
      getNodeConfig: 0,
      claimJob: 0,
      checkSiteQuota: 0,
      patchJob: 0,
      reportBackup: 0,
      heartbeatNode: 0,
      sqsReceive: 0,
      sqsOther: 0,
      scheduled: 0,
      watchRuns: 0,
    },
    storedBytes: 0,
    simulatedJobSeconds: 0,
  };
}

/** Numbers add up, lists follow one another, and numbers in lists add up place by place. */
export function addTallies(tallies: readonly Tally[]): Tally {
  const sum = emptyTally();
  for (const tally of tallies) merge(sum as unknown as Mixed, tally as unknown as Mixed);
  return sum;
}

type Mixed = Record<string, number | (string | number)[] | Record<string, number>>;

function merge(into: Mixed, from: Mixed): void {
  for (const [key, value] of Object.entries(from)) {
    const own = into[key];
    if (typeof value === "number") into[key] = Number(own) + value;
    else if (!Array.isArray(value)) merge(own as Mixed, value as Mixed);
    else if (Array.isArray(own)) mergeLists(own, value);
  }
}

function mergeLists(into: (string | number)[], from: readonly (string | number)[]): void {
  for (const [index, value] of from.entries()) {
    if (typeof value === "string") into.push(value);
    else into[index] = Number(into[index] ?? 0) + value;
  }
}
