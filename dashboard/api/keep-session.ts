// A session of the issuer is renewed a little before its token ends, where the issuer allows that; otherwise it ends on time,
// so that nobody finds out by a failing click. What talks to the issuer is loaded only when it is needed.
import { endSession, onSession, type Session, session, setSession } from "./session.ts";

/** Not the same in every tab: the first one tells the others. */
const LEAD_MS: number = 60_000 + Math.random() * 60_000;
/** Between two tries, and with tokens that hardly live longer. */
const REST_MS = 15_000;

let timer: ReturnType<typeof setTimeout> | undefined;
let renewing: Promise<void> | undefined;

/** From now on. */
export function keepSession(): void {
  onSession(() => plan());
  plan();
}

/** For a call: renewed first if it has ended meanwhile, as after a night's sleep. */
export async function liveToken(): Promise<string | undefined> {
  const current = session();
  if (current?.refreshToken !== undefined && hasEnded(current)) await renew(current);
  return session()?.token;
}

function plan(): void {
  clearTimeout(timer);
  const current = session();
  if (current?.endsMs === undefined) return;
  const leftMs = current.endsMs - Date.now();
  const waitMs = current.refreshToken === undefined ? leftMs : Math.max(leftMs - LEAD_MS, REST_MS);
  timer = setTimeout(() => void act(), Math.max(0, waitMs));
}

async function act(): Promise<void> {
  const current = session();
  if (current?.refreshToken !== undefined) await renew(current);
  const left = session();
  if (left === undefined || left.token !== current?.token) return;
  // While there is a refresh token the issuer was not reached: perhaps it can be soon. The Master decides until then.
  if (left.refreshToken === undefined && hasEnded(left)) endSession("expired");
  else plan();
}

function renew(current: Session): Promise<void> {
  renewing ??= askIssuer(current).finally(() => {
    renewing = undefined;
  });
  return renewing;
}

async function askIssuer(current: Session): Promise<void> {
  const { renewTokens } = await import("./issuer.ts");
  const outcome = await renewTokens(current).catch(() => "unreachable" as const);
  // Signed out, or another tab was faster.
  if (outcome === "unreachable" || session()?.token !== current.token) return;
  const { refreshToken: _used, ...rest } = current;
  setSession(outcome === "refused" ? rest : { ...rest, ...outcome });
}

function hasEnded({ endsMs }: Session): boolean {
  return endsMs !== undefined && endsMs <= Date.now();
}
