// All storages that archives lie in, by the provider that a record names. The default one is the stack's own bucket and
// costs nothing to find; another is looked up each time, so that new keys count at once.
import type { S3Client } from "@aws-sdk/client-s3";
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import { BackupError } from "#shared/errors.ts";
import type { ProviderRecord } from "../core/records.ts";
import { storageError } from "../core/storage-fault.ts";
import { listBucket, type ObjectList, openObjectList } from "./object-list.ts";
import { type Objects, openObjects, openOwnObjects } from "./objects.ts";
import { openProviderAccess } from "./provider-access.ts";
import { providerClient } from "./provider-client.ts";
import { openProviderRecords } from "./provider-records.ts";
import type { SecretsSettings } from "./provider-secrets.ts";
import { openTable } from "./table.ts";

export interface Storages {
  /** undefined: the default one. @throws BackupError `archive_unavailable` when there is no such provider. */
  at(providerId: string | undefined): Promise<Objects>;
  /** What lies there. Its errors are a storage's: denied, unreachable or failed. @throws as `at`. */
  listAt(providerId: string | undefined): Promise<ObjectList>;
}

export interface StoragesSettings extends SecretsSettings {
  readonly tableName: string;
  readonly bucketName: string;
  readonly isPrivateStorageAllowed: boolean;
}

export function openStorages(settings: StoragesSettings): Storages {
  const providers = openProviderRecords(openTable(settings.tableName));
  const access = openProviderAccess(settings);
  const own = openOwnObjects(settings);
  const ownList = withListWords(openObjectList(settings), settings.bucketName);
  const open = new Map<string, OpenStorage>();
  const openOne = (provider: ProviderRecord): OpenStorage => {
    const known = open.get(provider.id);
    if (known?.version === provider.version) return known;
    known?.client.destroy();
    const keys = () => access.keys(provider);
    const client = providerClient(provider, keys, settings.isPrivateStorageAllowed);
    const { version, bucket, name } = provider;
    const objects = withWords(openObjects(client, bucket), name);
    const opened = { version, client, objects, list: withListWords(listBucket(client, bucket), name) };
    open.set(provider.id, opened);
    return opened;
  };
  const find = async (providerId: string): Promise<OpenStorage> => {
    const provider = await providers.get(providerId);
    if (provider !== undefined) return openOne(provider);
    throw new BackupError("archive_unavailable", { detail: `There is no storage provider ${providerId}.` });
  };
  return {
    async at(providerId = DEFAULT_PROVIDER) {
      return providerId === DEFAULT_PROVIDER ? own : (await find(providerId)).objects;
    },
    async listAt(providerId = DEFAULT_PROVIDER) {
      return providerId === DEFAULT_PROVIDER ? ownList : (await find(providerId)).list;
    },
  };
}

interface OpenStorage {
  readonly version: number;
  readonly client: S3Client;
  readonly objects: Objects;
  readonly list: ObjectList;
}

/** A strange storage's trouble is nothing that the Master has done wrong. */
function withWords(objects: Objects, name: string): Objects {
  return {
    size: (key) => worded(name, objects.size(key)),
    read: (key, range) => worded(name, objects.read(key, range)),
    presignGet: (key, fileName, seconds) => worded(name, objects.presignGet(key, fileName, seconds)),
    remove: (key) => worded(name, objects.remove(key)),
  };
}

function withListWords(list: ObjectList, name: string): ObjectList {
  return {
    find: (key) => worded(name, list.find(key)),
    async *objectsAfter(after, prefix) {
      try {
        yield* list.objectsAfter(after, prefix);
      } catch (error) {
        throw storageError(error, `The storage ${name}`);
      }
    },
  };
}

async function worded<T>(name: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw storageError(error, `The storage ${name}`);
  }
}
