// Storage providers: where archives can lie, and whether that place is fit for them. Secrets come in here, are sealed
// before anything else is done with them, and go nowhere but into the storage's own client and to the nodes that use it.
import { type CreateProvider, DEFAULT_PROVIDER, type ProviderTest } from "#shared/contracts/storage.ts";
import { BackupError } from "#shared/errors.ts";
import { changeProvider } from "./core/change-provider.ts";
import { judgeProbe, type ProbeResults } from "./core/provider-features.ts";
import type { ProviderRecord } from "./core/records.ts";
import { viewDefaultProvider, viewProvider } from "./core/view-provider.ts";
import type { Deps } from "./deps.ts";
import { checkUnused } from "./http/provider-uses.ts";
import { type ApiHandler, serve } from "./http/serve.ts";
import type { ProbeDeps } from "./stores/probe-storage.ts";
import { openProviderProbe } from "./stores/provider-probe.ts";
import { openProviderSecrets } from "./stores/provider-secrets.ts";
import { openRecords } from "./stores/records.ts";
import { settleRace } from "./stores/settle-race.ts";

/** API Gateway gives up after 30 seconds, and the cleaning up has to fit, too. */
const PROBE_MS = 20_000;

export const handler: ApiHandler = serve(
  { records: openRecords, providerSecrets: openProviderSecrets, providerProbe: openProviderProbe },
  {
    async listStorageProviders(_request, deps) {
      const providers = await deps.records.providers.all();
      const oldestFirst = providers.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
      return { items: [viewDefaultProvider(deps.config), ...oldestFirst.map(viewProvider)] };
    },

    async getStorageProvider({ params }, deps) {
      if (params.id === DEFAULT_PROVIDER) return viewDefaultProvider(deps.config);
      return viewProvider(await loadProvider(params.id, deps));
    },

    async createStorageProvider({ body, activity }, deps) {
      if (body.kind === "s3") await deps.providerProbe.checkEndpoint(body.endpoint);
      const { secret_access_key: secret, ...shown } = { secret_access_key: undefined, ...body };
      const id = deps.randomUuid();
      const provider: ProviderRecord = {
        ...shown,
        id,
        version: 1,
        created_at: deps.now().toISOString(),
        ...(secret === undefined ? {} : { sealed_secret: await deps.providerSecrets.seal(id, secret) }),
      };
      await deps.records.providers.create(provider);
      activity.details = { ...shown };
      return viewProvider(provider);
    },

    async patchStorageProvider({ params, body, activity }, deps) {
      refuseDefault(params.id);
      if (body.endpoint !== undefined) await deps.providerProbe.checkEndpoint(body.endpoint);
      const { secret_access_key: secret, ...shown } = body;
      const after = await settleRace(async () => {
        const before = await loadProvider(params.id, deps);
        changeProvider(before, body, undefined);
        const sealed = secret === undefined ? undefined : await deps.providerSecrets.seal(before.id, secret);
        const change = { before, after: changeProvider(before, body, sealed) };
        return (await deps.records.providers.change(change)) ? change.after : undefined;
      });
      activity.details = { ...shown, ...(secret === undefined ? {} : { secret: "replaced" }) };
      return viewProvider(after);
    },

    async deleteStorageProvider({ params, activity }, deps) {
      refuseDefault(params.id);
      const { providers } = deps.records;
      await settleRace(async () => {
        // First: a site that chooses it from now on changes its version.
        const provider = await loadProvider(params.id, deps);
        const choices = await checkUnused(provider.id, deps);
        if (!(await providers.remove(provider))) return undefined;
        await providers.forgetChoices(choices);
        activity.details = { name: provider.name, bucket: provider.bucket };
        return true;
      });
      return undefined;
    },

    async testStorageProvider({ params, activity }, deps) {
      if (params.id === DEFAULT_PROVIDER) {
        const test = await timed("aws", (how) => deps.providerProbe.ownBucket(how), deps);
        activity.details = { usable: test.usable };
        return test;
      }
      const provider = await loadProvider(params.id, deps);
      const test = await timed(provider.kind, (how) => deps.providerProbe.provider(provider, how), deps);
      activity.details = { name: provider.name, usable: test.usable };
      if (test.usable) await keepFeatures(provider, test, deps);
      return test;
    },

    async testNewStorageProvider({ body, activity }, deps) {
      if (body.kind === "s3") await deps.providerProbe.checkEndpoint(body.endpoint);
      const test = await timed(body.kind, (how) => deps.providerProbe.unsaved(body, how), deps);
      activity.target = { kind: "storage_provider", id: "new" };
      activity.details = { name: body.name, bucket: body.bucket, usable: test.usable };
      return test;
    },
  },
);

type StorageDeps = Deps<"records" | "providerSecrets" | "providerProbe">;

async function loadProvider(id: string, deps: StorageDeps): Promise<ProviderRecord> {
  const provider = await deps.records.providers.get(id);
  if (provider !== undefined) return provider;
  throw new BackupError("not_found", { detail: `There is no storage provider ${id}.` });
}

function refuseDefault(id: string): void {
  if (id !== DEFAULT_PROVIDER) return;
  throw new BackupError("conflict", {
    detail: "The stack's own bucket comes and goes with the stack.",
    hint: "Add another storage provider, and let sites use that.",
  });
}

async function timed(
  kind: CreateProvider["kind"],
  probe: (how: ProbeDeps) => Promise<ProbeResults>,
  deps: StorageDeps,
): Promise<ProviderTest> {
  const startedMs = performance.now();
  const how = { randomUuid: deps.randomUuid, signal: AbortSignal.timeout(PROBE_MS) };
  const results = await probe(how);
  return judgeProbe(results, kind, (performance.now() - startedMs) / 1000);
}

/** Unless it has been changed since: then they may be another storage's. */
async function keepFeatures(
  before: ProviderRecord,
  { features }: ProviderTest,
  deps: StorageDeps,
): Promise<void> {
  const after = { ...before, features, tested_at: deps.now().toISOString() };
  await deps.records.providers.change({ before, after });
}
