// A link opened in a new tab finds the session of the tab it came from: tabs of this origin hand it on when asked.
import { beginSession, session } from "./session.ts";

const CHANNEL = "backupd-session";
/** A tab that is there answers within a few milliseconds. */
const PATIENCE_MS = 200;

type Message = { readonly ask: true } | { readonly token: string };

/** Answers other tabs from now on, and asks them once if this tab has no session. */
export async function shareSession(): Promise<void> {
  let isAsking = false;
  const channel = new BroadcastChannel(CHANNEL);
  const answer = new Promise<void>((resolve) => {
    channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
      const known = session();
      if ("ask" in data) {
        if (known !== undefined) channel.postMessage({ token: known.token } satisfies Message);
        return;
      }
      if (known === undefined && isAsking) beginSession(data.token);
      resolve();
    });
  });
  if (session() !== undefined) return;
  isAsking = true;
  channel.postMessage({ ask: true } satisfies Message);
  await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  isAsking = false;
}
