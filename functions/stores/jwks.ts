// The keys of the OpenID Connect issuer, by its discovery document, kept over the invocations of a Lambda instance. jose's
// own remote key set refuses everybody while the issuer is down, and rests only after a success; core/key-cache.ts says how
// this one does.
import type { JSONWebKeySet } from "jose";
import * as z from "zod";
import { type KeyCache, NO_KEYS, shouldAsk, usableKeys } from "../core/key-cache.ts";

export interface IssuerKeys {
  /** `keys` is undefined when there are none at hand; `fault` is why this very call got no new ones. */
  lookUp(keyId: string | undefined): Promise<{ keys: JSONWebKeySet | undefined; fault?: unknown }>;
}

export interface IssuerSettings {
  readonly oidc: { readonly issuer: string } | undefined;
}

/** For both requests together: API Gateway's caller waits. */
const TIMEOUT_MS = 2_500;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });
const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

export function openIssuerKeys(
  { oidc }: IssuerSettings,
  now: () => Date = () => new Date(),
  timeoutMs: number = TIMEOUT_MS,
): IssuerKeys {
  let cache: KeyCache = NO_KEYS;
  let pending: Promise<unknown> | undefined;
  const ask = async (issuer: string): Promise<unknown> => {
    cache = { ...cache, askedMs: now().getTime() };
    try {
      const keys = await fetchKeys(issuer, AbortSignal.timeout(timeoutMs));
      cache = { keys, gotMs: cache.askedMs, askedMs: cache.askedMs };
      return undefined;
    } catch (error) {
      return error;
    } finally {
      pending = undefined;
    }
  };
  return {
    async lookUp(keyId) {
      if (oidc === undefined) return { keys: undefined };
      if (pending === undefined && shouldAsk(cache, keyId, now().getTime())) {
        pending = ask(oidc.issuer);
        const fault = await pending;
        return { keys: usableKeys(cache, now().getTime()), ...(fault === undefined ? {} : { fault }) };
      }
      await pending;
      return { keys: usableKeys(cache, now().getTime()) };
    },
  };
}

async function fetchKeys(issuer: string, signal: AbortSignal): Promise<JSONWebKeySet> {
  const discovery = Discovery.parse(
    await getJson(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, signal),
  );
  // OpenID Connect Discovery, 4.3: otherwise one issuer could speak for another.
  if (discovery.issuer !== issuer)
    throw new Error(`The issuer calls itself ${JSON.stringify(discovery.issuer)}, not ${issuer}.`);
  const isPlain = new URL(discovery.jwks_uri).protocol !== "https:";
  if (isPlain && issuer.startsWith("https:")) throw new Error("The issuer's keys are not behind TLS.");
  return KeySet.parse(await getJson(discovery.jwks_uri, signal)) as JSONWebKeySet;
}

async function getJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: "error", headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${url} answered ${response.status}.`);
  return response.json();
}
