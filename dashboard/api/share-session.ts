// Tabs of this origin hand the session on: a link opened in a new tab is signed in like the one it came from, a renewed
// token reaches all, and signing out ends them all. What renews the token stays in one tab: issuers let it work only once.
import {
  type EndReason,
  endSession,
  lastEnd,
  onSession,
  type Session,
  session,
  setSession,
} from "./session.ts";

const CHANNEL = "backupd-session";
/** A tab that is there answers within a few milliseconds. */
const PATIENCE_MS = 200;

type Message =
  | { readonly ask: true }
  | { readonly session: Session }
  | { readonly ended: Session; readonly because: EndReason };

/** Talks to other tabs from now on, and asks them once if this tab has no session. */
export async function shareSession(): Promise<void> {
  const channel = new BroadcastChannel(CHANNEL);
  let isHearing = false;
  let isAsking = false;
  const say = (message: Message): void => channel.postMessage(message);
  const answer = new Promise<void>((resolve) => {
    channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
      isHearing = true;
      const known = session();
      if ("ask" in data) {
        if (known !== undefined) say({ session: shared(known) });
      } else if ("ended" in data) {
        if (known !== undefined && endsWith(known, data)) endSession(data.because);
      } else {
        if (known === undefined ? isAsking : isNewer(data.session, known)) setSession(data.session);
        resolve();
      }
      isHearing = false;
    });
  });
  onSession((now, before) => {
    if (isHearing) return;
    if (now !== undefined) say({ session: shared(now) });
    else if (before !== undefined) say({ ended: shared(before), because: lastEnd() ?? "expired" });
  });
  const isAlone = await joinTabs();
  if (session() !== undefined || isAlone) return;
  isAsking = true;
  say({ ask: true });
  await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  isAsking = false;
}

/** Each tab holds a share of one lock while it is open. True if no other does: then nobody has to be waited for. */
async function joinTabs(): Promise<boolean> {
  // Only where the connection is secure; without it one waits.
  const locks = (navigator as { readonly locks?: LockManager }).locks;
  if (locks === undefined) return false;
  const { held = [] } = await locks.query();
  void locks.request(CHANNEL, { mode: "shared" }, () => new Promise(() => undefined));
  return !held.some(({ name }) => name === CHANNEL);
}

function isNewer(offered: Session, known: Session): boolean {
  return offered.id === known.id && (offered.endsMs ?? 0) > (known.endsMs ?? 0);
}

/** Signing out is for all tabs; a token that was refused may be older than the one here. */
function endsWith(known: Session, { ended, because }: { ended: Session; because: EndReason }): boolean {
  return known.id === ended.id && (because === "signed_out" || known.token === ended.token);
}

function shared({ refreshToken: _stays, ...rest }: Session): Session {
  return rest;
}
