// Runs a POST that came with an Idempotency-Key at most once, as far as that can be known: the answer of the first good
// call is given again to its repeats; a call that failed has let the key go, and one that died does so with its time.
import type { Context } from "aws-lambda";
import { IDEMPOTENCY_HEADER, REPLAYED_HEADER } from "#shared/headers.ts";
import {
  type CallIdentity,
  checkKey,
  type IdempotencyRecord,
  identifyCall,
  KEEP_MS,
  keptAnswer,
  openAnswer,
  sealAnswer,
} from "../core/idempotency.ts";
import type { BaseDeps, Invocation, Stores } from "../deps.ts";
import type { IdempotencyRecords } from "../stores/idempotency-records.ts";
import { settleRace } from "../stores/settle-race.ts";
import type { HttpAnswer } from "./http-answer.ts";

/** After this the attempt cannot be at work any more: Lambda has ended it. */
const MARGIN_MS = 1_000;

export interface KeyedCall {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly operation: string;
  /** Kind, id and tenant of the caller, or `public`. */
  readonly principal: string;
  /** As checked, with defaults filled in: what makes two requests the same. */
  readonly input: unknown;
}

type KeyDeps = BaseDeps & Invocation & Partial<Stores>;

/** @throws BackupError `invalid_request`, `idempotency_mismatch`, `idempotency_in_flight`, and whatever `run` throws. */
export async function runOnce(
  { headers, operation, principal, input }: KeyedCall,
  context: Pick<Context, "getRemainingTimeInMillis">,
  deps: KeyDeps,
  run: () => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const header = headers[IDEMPOTENCY_HEADER];
  if (header === undefined) return run();
  const records = deps.records?.idempotency;
  if (records === undefined) throw new Error("a function with a POST needs the records");
  const call = identifyCall({ key: checkKey(header), operation, principal }, input);
  const begun = await begin(call, deps.now().getTime() + context.getRemainingTimeInMillis(), records, deps);
  if ("sealed" in begun) return replay(openAnswer(call.sealKey, begun.sealed), deps);
  try {
    const answer = await run();
    const expires_at = new Date(deps.now().getTime() + KEEP_MS).toISOString();
    const sealed = sealAnswer(call.sealKey, deps.randomBytes(12), JSON.stringify(answer));
    await keep({ ...begun, state: "done", expires_at, answer: sealed }, records, deps);
    return answer;
  } catch (error) {
    await keep({ ...begun, state: "released", expires_at: deps.now().toISOString() }, records, deps);
    throw error;
  }
}

async function begin(
  { id, fingerprint }: CallIdentity,
  endsAtMs: number,
  records: IdempotencyRecords,
  deps: KeyDeps,
): Promise<IdempotencyRecord | { sealed: string }> {
  const record: IdempotencyRecord = {
    ...{ id, fingerprint, attempt: deps.randomUuid(), state: "in_flight" },
    expires_at: new Date(endsAtMs + MARGIN_MS).toISOString(),
  };
  return settleRace(async () => {
    const now = deps.now();
    if (await records.begin(record, now)) return record;
    const sealed = keptAnswer(await records.get(id), fingerprint, now);
    return sealed === undefined ? undefined : { sealed };
  });
}

/** What the call did is done: that its end could not be written must not change its answer. */
async function keep(record: IdempotencyRecord, records: IdempotencyRecords, deps: KeyDeps): Promise<void> {
  const { state } = record;
  try {
    if (await records.end(record)) return;
    deps.log.warn("idempotency key was taken over", { state });
  } catch (error) {
    deps.log.error("idempotency record lost", { state, error });
  }
}

function replay(text: string, deps: KeyDeps): HttpAnswer {
  deps.meter.add("Replays");
  const answer = JSON.parse(text) as HttpAnswer;
  return { ...answer, headers: { ...answer.headers, [REPLAYED_HEADER]: "true" } };
}
