// What every command of an enrolled node needs: its identity, its state directory, and its Master.
import { type Clock, systemClock } from "./clock.ts";
import { readIdentity, tokenSigner } from "./io/identity.ts";
import type { Log } from "./io/log.ts";
import { createMasterClient, type MasterClient } from "./io/master-client.ts";
import { createConfigSource } from "./io/node-config.ts";
import { openOutbox } from "./io/outbox.ts";
import { callWithRetry } from "./io/retrying-master.ts";
import { openStateDir } from "./io/state-dir.ts";
import type { Settings } from "./settings.ts";
import type { StatusDeps } from "./status.ts";

export interface ControlOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly version: string;
  readonly stop: AbortSignal;
  readonly clock?: Clock;
}

export const MASTER_TIMEOUT_MS = 15_000;
const OUTBOX_DEADLINE_MS = 20_000;
/** A moment's absence must not put a job off, or end an upload whose credentials are due; `status` waits for it too. */
const CONFIG_DEADLINE_MS = 5_000;

/** Throws `not_enrolled` or `state_dir_unusable`. */
export async function composeControl(options: ControlOptions): Promise<StatusDeps> {
  const { settings, log, version, stop, clock = systemClock } = options;
  const state = await openStateDir(settings.stateDir);
  const identity = await readIdentity(state);
  const master = createMasterClient({
    masterUrl: identity.master_url,
    signToken: tokenSigner(identity, clock.now),
    now: clock.now,
    timeoutMs: MASTER_TIMEOUT_MS,
    userAgent: `backupd/${version}`,
  });
  const patient = (deadlineMs: number): MasterClient => callWithRetry(master, { clock, deadlineMs });
  const source = createConfigSource({
    master: patient(CONFIG_DEADLINE_MS),
    ageIdentity: identity.age_identity,
    clock,
    stop,
  });
  const outbox = openOutbox({ dir: state.outboxDir, master: patient(OUTBOX_DEADLINE_MS), clock, log });
  return { version, state, identity, master, source, outbox };
}
