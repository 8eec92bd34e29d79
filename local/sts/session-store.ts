// Keeps the temporary credentials that AssumeRole minted, so that a restart of the stack does not lock out nodes in
// the middle of an upload. Files are 0600: the secrets are in them.
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Credential } from "#local/s3/credentials.ts";
import { parsePolicy } from "./policy.ts";

// An expired credential is remembered for a while, so that its user is told "expired" and not "unknown".
const REMEMBER_EXPIRED_MS = 24 * 3600 * 1000;

export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAt: Date;
  readonly assumedRoleArn: string;
  readonly assumedRoleId: string;
  /** The session policy as it was given. */
  readonly policyText?: string | undefined;
}

export interface SessionCredential extends Credential {
  readonly assumedRoleArn: string;
  readonly assumedRoleId: string;
}

interface SessionRow {
  readonly secret_access_key: string;
  readonly session_token: string;
  readonly expires_ms: number;
  readonly assumed_role_arn: string;
  readonly assumed_role_id: string;
  readonly policy: string | null;
}

export class SessionStore {
  readonly #sqlite: DatabaseSync;

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const path = join(dataDir, "sessions.sqlite");
    this.#sqlite = new DatabaseSync(path);
    chmodSync(path, 0o600);
    // SQLite gives its journal files the mode of the database.
    this.#sqlite.exec(`PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS sessions (
        access_key_id TEXT PRIMARY KEY,
        secret_access_key TEXT NOT NULL,
        session_token TEXT NOT NULL,
        expires_ms INTEGER NOT NULL,
        assumed_role_arn TEXT NOT NULL,
        assumed_role_id TEXT NOT NULL,
        policy TEXT
      ) STRICT`);
  }

  add(session: Session, now: Date): void {
    this.#sqlite
      .prepare("DELETE FROM sessions WHERE expires_ms < ?")
      .run(now.getTime() - REMEMBER_EXPIRED_MS);
    this.#sqlite
      .prepare("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)")
      .run(
        session.accessKeyId,
        session.secretAccessKey,
        session.sessionToken,
        session.expiresAt.getTime(),
        session.assumedRoleArn,
        session.assumedRoleId,
        session.policyText ?? null,
      );
  }

  find(accessKeyId: string): SessionCredential | undefined {
    const row = this.#sqlite
      .prepare("SELECT * FROM sessions WHERE access_key_id = ?")
      .get(accessKeyId) as unknown as SessionRow | undefined;
    if (row === undefined) return undefined;
    return {
      secretAccessKey: row.secret_access_key,
      sessionToken: row.session_token,
      expiresAt: new Date(row.expires_ms),
      assumedRoleArn: row.assumed_role_arn,
      assumedRoleId: row.assumed_role_id,
      ...(row.policy === null ? {} : { policy: parsePolicy(row.policy) }),
    };
  }

  close(): void {
    this.#sqlite.close();
  }
}
