// What the handlers work with: the clock, randomness, the log and the stores. Each function names the stores it
// needs, so that its bundle holds no other SDK clients; they are opened on first use, so that a cold start stays
// short and a fault in the environment is reported by a request.
import { randomBytes, randomUUID } from "node:crypto";
import { type Config, parseConfig } from "./config.ts";
import type { AlertTargetList } from "./stores/alert-target-list.ts";
import type { IssuerKeys } from "./stores/jwks.ts";
import type { Manifests } from "./stores/manifests.ts";
import type { NodeCredentialsIssuer } from "./stores/node-credentials.ts";
import type { Notifier } from "./stores/notifier.ts";
import type { ObjectList } from "./stores/object-list.ts";
import type { Objects } from "./stores/objects.ts";
import type { ProviderProbe } from "./stores/provider-probe.ts";
import type { ProviderSecrets } from "./stores/provider-secrets.ts";
import type { Queues } from "./stores/queues.ts";
import type { Records } from "./stores/records.ts";
import type { Schedules } from "./stores/schedules.ts";
import type { Storages } from "./stores/storages.ts";
import type { Log } from "./telemetry/log.ts";
import { emfPublisher, type Meter, type Publish, publishNothing } from "./telemetry/meter.ts";
import { logger } from "./telemetry/powertools.ts";

export interface BaseDeps {
  readonly config: Config;
  readonly now: () => Date;
  readonly randomUuid: () => string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: Log;
  /** Where the counts of a call or event go at its end. */
  readonly publish: Publish;
}

/** What belongs to the one call or event that is being worked on. */
export interface Invocation {
  /** On every line of the log, and on the jobs and activity that come of it. */
  readonly correlationId: string;
  readonly meter: Meter;
}

export interface Stores {
  readonly records: Records;
  readonly queues: Queues;
  readonly schedules: Schedules;
  readonly objects: Objects;
  readonly objectList: ObjectList;
  readonly storages: Storages;
  readonly providerSecrets: ProviderSecrets;
  readonly providerProbe: ProviderProbe;
  readonly manifests: Manifests;
  readonly nodeCredentials: NodeCredentialsIssuer;
  readonly notifier: Notifier;
  readonly alertTargets: AlertTargetList;
  readonly issuerKeys: IssuerKeys;
}

/** The base and these stores, for the life of the process. */
export type Opened<S extends keyof Stores = never> = BaseDeps & Pick<Stores, S>;
export type AllDeps = Opened<keyof Stores>;
/** What handlers work with. */
export type Deps<S extends keyof Stores = never> = Opened<S> & Invocation;
export type Openers<S extends keyof Stores> = { readonly [K in S]: (config: Config) => Stores[K] };

export function openBase(config: Config): BaseDeps {
  logger.setLogLevel(config.logLevel);
  return {
    config,
    now: () => new Date(),
    randomUuid: randomUUID,
    randomBytes,
    log: logger as Log,
    publish: config.publishesMetrics ? emfPublisher(config.stage) : publishNothing,
  };
}

let provided: AllDeps | undefined;

/** For the local stack and tests, which run all handlers in their own process: what they get from now on. */
export function provideDeps(deps: AllDeps | undefined): void {
  provided = deps;
}

/** Opens the deps once per process, from its environment; a call throws when that is not valid. */
export function lazyDeps<S extends keyof Stores>(openers: Openers<S>): () => Opened<S> {
  let opened: Opened<S> | undefined;
  return () => {
    if (provided !== undefined) return provided;
    opened ??= open(openers, parseConfig(process.env));
    return opened;
  };
}

function open<S extends keyof Stores>(openers: Openers<S>, config: Config): Opened<S> {
  const names = Object.keys(openers) as S[];
  const stores = Object.fromEntries(names.map((name) => [name, openers[name](config)]));
  return { ...openBase(config), ...(stores as Pick<Stores, S>) };
}
