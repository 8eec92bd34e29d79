// The one-time link that `npm start` prints: its code leaves the address bar and the history before anything else
// happens, and is exchanged for a session.
import { beginSession, endSession } from "./session.ts";

/** The code in this page's address, taken out of it. */
export function takeCode(): string | undefined {
  const code = /^#code=([A-Za-z0-9_-]+)$/.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

export async function exchangeCode(code: string): Promise<void> {
  const response = await fetch("/sign-in", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ code }),
    credentials: "omit",
  });
  if (response.ok) beginSession({ via: "token", ...((await response.json()) as { token: string }) });
  else endSession("link_used");
}
