// Connections to storages that admins have named. The address is checked when it is connected to, not only when it is
// saved: a name may resolve to something else by then.
import { lookup } from "node:dns/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { LookupFunction } from "node:net";
import { checkAddresses, checkEndpoint, endpointFault } from "../core/public-address.ts";

/** Both for the SDK's NodeHttpHandler. */
export interface GuardedAgents {
  readonly httpAgent: HttpAgent;
  readonly httpsAgent: HttpsAgent;
}

export function guardedAgents(isPrivateAllowed: boolean): GuardedAgents {
  const guarded: LookupFunction = (hostname, options, answer) => {
    resolve(hostname, isPrivateAllowed).then(
      (found) => {
        const [first] = found;
        if (options.all === true) answer(null, found);
        else answer(null, first?.address ?? "", first?.family);
      },
      (error: NodeJS.ErrnoException) => answer(error, ""),
    );
  };
  const options = { keepAlive: true, lookup: guarded };
  return { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) };
}

/** @throws BackupError `invalid_request` for what the Master does not call, and what is not there. */
export async function assertEndpoint(endpoint: string, isPrivateAllowed: boolean): Promise<void> {
  const { hostname } = checkEndpoint(endpoint, isPrivateAllowed);
  // An address has nothing to resolve.
  if (/^[\d.]+$|^\[/.test(hostname)) return;
  await resolve(hostname, isPrivateAllowed).catch((error: NodeJS.ErrnoException) => {
    throw error.syscall === undefined ? error : endpointFault(`cannot be resolved (${error.code})`);
  });
}

async function resolve(
  hostname: string,
  isPrivateAllowed: boolean,
): Promise<{ address: string; family: number }[]> {
  const found = await lookup(hostname, { all: true });
  checkAddresses(
    found.map(({ address }) => address),
    isPrivateAllowed,
  );
  return found;
}
