// Schedules, groups, invocations under way and client tokens in one SQLite file, so that a kill -9 between any
// two statements loses nothing and fires nothing twice. The index on next_due_ms is the scheduler's queue:
// looking for the earliest costs the same with ten schedules and with ten thousand.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Definition } from "./definition.ts";
import type { Invocation } from "./invocation.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS groups (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS schedules (
    group_name TEXT NOT NULL, name TEXT NOT NULL, arn TEXT NOT NULL UNIQUE, definition TEXT NOT NULL,
    created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL, anchor_ms INTEGER NOT NULL,
    last_scheduled_ms INTEGER, next_scheduled_ms INTEGER, next_due_ms INTEGER, computed_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS schedules_by_due ON schedules (next_due_ms) WHERE next_due_ms IS NOT NULL;
  CREATE INDEX IF NOT EXISTS schedules_by_computed ON schedules (computed_ms);
  CREATE TABLE IF NOT EXISTS invocations (
    id TEXT PRIMARY KEY, schedule_arn TEXT NOT NULL, scheduled_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, next_attempt_ms INTEGER NOT NULL, failure TEXT, target TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS invocations_by_attempt ON invocations (next_attempt_ms);
  CREATE INDEX IF NOT EXISTS invocations_by_schedule ON invocations (schedule_arn);
  CREATE TABLE IF NOT EXISTS client_tokens (
    token TEXT PRIMARY KEY, request TEXT NOT NULL, response TEXT NOT NULL, expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS client_tokens_by_expiry ON client_tokens (expires_ms);`;

export interface Group {
  readonly name: string;
  readonly arn: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

export interface Schedule {
  readonly group: string;
  readonly name: string;
  readonly arn: string;
  readonly definition: Definition;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** Where its rate counts from. */
  readonly anchorMs: number;
  readonly lastScheduledMs: number | null;
  /** The first run not fired yet; null when there is none, or the schedule is disabled. */
  readonly nextScheduledMs: number | null;
  readonly nextDueMs: number | null;
  /** The clock when `next…` were computed: if that is in the future, the clock was set back since. */
  readonly computedMs: number;
}

export interface ScheduleFilter {
  readonly group?: string | undefined;
  readonly namePrefix?: string | undefined;
  readonly state?: string | undefined;
  readonly after?: readonly [group: string, name: string] | undefined;
  readonly limit: number;
}

type Row = Record<string, unknown>;

export class SchedulerStore {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true });
    this.#db = new DatabaseSync(join(dataDir, "scheduler.sqlite"));
    this.#db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${SCHEMA}`);
  }

  /** All or nothing. */
  transaction<Result>(work: () => Result): Result {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      // SQLite has rolled back by itself after some errors (a full disk).
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  getGroup(name: string): Group | undefined {
    const row = this.#get("SELECT * FROM groups WHERE name = ?", name);
    return row && asGroup(row);
  }

  putGroup(group: Group): void {
    this.#run(
      "INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?)",
      ...[group.name, group.arn, group.createdMs, group.modifiedMs],
    );
  }

  deleteGroup(name: string): void {
    this.#run("DELETE FROM schedules WHERE group_name = ?", name);
    this.#run("DELETE FROM groups WHERE name = ?", name);
  }

  listGroups(namePrefix: string, after: string, limit: number): Group[] {
    return this.#all(
      "SELECT * FROM groups WHERE name > ? AND substr(name, 1, length(?)) = ? ORDER BY name LIMIT ?",
      ...[after, namePrefix, namePrefix, limit],
    ).map(asGroup);
  }

  getSchedule(group: string, name: string): Schedule | undefined {
    const row = this.#get("SELECT * FROM schedules WHERE group_name = ? AND name = ?", group, name);
    return row && asSchedule(row);
  }

  putSchedule(schedule: Schedule): void {
    this.#run(
      "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[schedule.group, schedule.name, schedule.arn, JSON.stringify(schedule.definition)],
      ...[schedule.createdMs, schedule.modifiedMs, schedule.anchorMs, schedule.lastScheduledMs],
      ...[schedule.nextScheduledMs, schedule.nextDueMs, schedule.computedMs],
    );
  }

  deleteSchedule(group: string, name: string): boolean {
    return this.#run("DELETE FROM schedules WHERE group_name = ? AND name = ?", group, name) > 0;
  }

  /** Deletes a schedule that wants it, has no run left and none under way. */
  deleteIfCompleted(arn: string): void {
    this.#run(
      `DELETE FROM schedules WHERE arn = ?1 AND next_due_ms IS NULL
       AND definition ->> 'ActionAfterCompletion' = 'DELETE' AND definition ->> 'State' = 'ENABLED'
       AND NOT EXISTS (SELECT 1 FROM invocations WHERE schedule_arn = ?1)`,
      arn,
    );
  }

  listSchedules(filter: ScheduleFilter): Schedule[] {
    const [afterGroup, afterName] = filter.after ?? ["", ""];
    const prefix = filter.namePrefix ?? "";
    return this.#all(
      `SELECT * FROM schedules WHERE (group_name, name) > (?1, ?2) AND (?3 IS NULL OR group_name = ?3)
       AND substr(name, 1, length(?4)) = ?4 AND (?5 IS NULL OR definition ->> 'State' = ?5)
       ORDER BY group_name, name LIMIT ?6`,
      ...[afterGroup, afterName, filter.group ?? null, prefix, filter.state ?? null, filter.limit],
    ).map(asSchedule);
  }

  dueSchedules(nowMs: number, limit: number): Schedule[] {
    return this.#all(
      "SELECT * FROM schedules WHERE next_due_ms <= ? ORDER BY next_due_ms LIMIT ?",
      nowMs,
      limit,
    ).map(asSchedule);
  }

  /** Those whose next run was computed when the clock was ahead of now. */
  computedAfter(nowMs: number, limit: number): Schedule[] {
    return this.#all("SELECT * FROM schedules WHERE computed_ms > ? LIMIT ?", nowMs, limit).map(asSchedule);
  }

  earliestDueMs(): number | undefined {
    const row = this.#get("SELECT min(next_due_ms) AS ms FROM schedules WHERE next_due_ms IS NOT NULL");
    return typeof row?.ms === "number" ? row.ms : undefined;
  }

  /** Notes a run to be delivered; the same run a second time changes nothing. */
  addInvocation(invocation: Invocation): void {
    this.#run(
      "INSERT OR IGNORE INTO invocations VALUES (?, ?, ?, ?, 0, ?, NULL, ?)",
      ...[invocation.id, invocation.scheduleArn, invocation.scheduledMs, invocation.dueMs],
      ...[invocation.dueMs, JSON.stringify(invocation.target)],
    );
  }

  postponeInvocation(id: string, attempts: number, nextAttemptMs: number, failure: string | undefined): void {
    this.#run(
      "UPDATE invocations SET attempts = ?, next_attempt_ms = ?, failure = ? WHERE id = ?",
      ...[attempts, nextAttemptMs, failure ?? null, id],
    );
  }

  /** Attempts planned later than that were planned by a clock that has been set back since. */
  pullAttemptsTo(latestMs: number): void {
    this.#run("UPDATE invocations SET next_attempt_ms = ?1 WHERE next_attempt_ms > ?1", latestMs);
  }

  deleteInvocation(id: string): void {
    this.#run("DELETE FROM invocations WHERE id = ?", id);
  }

  /** In the order of their next attempt, which may lie in the future. */
  nextInvocations(limit: number): (Invocation & { readonly nextAttemptMs: number })[] {
    return this.#all("SELECT * FROM invocations ORDER BY next_attempt_ms LIMIT ?", limit).map(asInvocation);
  }

  getToken(token: string, nowMs: number): { request: string; response: string } | undefined {
    const row = this.#get("SELECT * FROM client_tokens WHERE token = ? AND expires_ms > ?", token, nowMs);
    return row && { request: String(row.request), response: String(row.response) };
  }

  putToken(token: string, call: { request: string; response: string; nowMs: number; ttlMs: number }): void {
    this.#run("DELETE FROM client_tokens WHERE expires_ms <= ?", call.nowMs);
    this.#run(
      "INSERT OR REPLACE INTO client_tokens VALUES (?, ?, ?, ?)",
      ...[token, call.request, call.response, call.nowMs + call.ttlMs],
    );
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepare(sql: string): ReturnType<DatabaseSync["prepare"]> {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #get(sql: string, ...values: (string | number | null)[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  #all(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#prepare(sql).all(...values);
  }

  #run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }
}

const asGroup = (row: Row): Group => ({
  name: String(row.name),
  arn: String(row.arn),
  createdMs: Number(row.created_ms),
  modifiedMs: Number(row.modified_ms),
});

const numberOrNull = (value: unknown): number | null => (value === null ? null : Number(value));

const asSchedule = (row: Row): Schedule => ({
  group: String(row.group_name),
  name: String(row.name),
  arn: String(row.arn),
  definition: JSON.parse(String(row.definition)) as Definition,
  createdMs: Number(row.created_ms),
  modifiedMs: Number(row.modified_ms),
  anchorMs: Number(row.anchor_ms),
  lastScheduledMs: numberOrNull(row.last_scheduled_ms),
  nextScheduledMs: numberOrNull(row.next_scheduled_ms),
  nextDueMs: numberOrNull(row.next_due_ms),
  computedMs: Number(row.computed_ms),
});

const asInvocation = (row: Row): Invocation & { readonly nextAttemptMs: number } => ({
  id: String(row.id),
  scheduleArn: String(row.schedule_arn),
  scheduledMs: Number(row.scheduled_ms),
  dueMs: Number(row.due_ms),
  attempts: Number(row.attempts),
  nextAttemptMs: Number(row.next_attempt_ms),
  failure: typeof row.failure === "string" ? row.failure : undefined,
  target: JSON.parse(String(row.target)) as Definition["Target"],
});
