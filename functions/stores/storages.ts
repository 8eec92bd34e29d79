// All storages that archives lie in, by the provider that a record names. The default one is the stack's own bucket and
// costs nothing to find; another is looked up each time, so that new keys count at once.
import type { S3Client } from "@aws-sdk/client-s3";
import { DEFAULT_PROVIDER } from "#shared/contracts/storage.ts";
import { BackupError } from "#shared/errors.ts";
import type { ProviderRecord } from "../core/records.ts";
import { storageError } from "../core/storage-fault.ts";
import { type Objects, openObjects, openOwnObjects } from "./objects.ts";
import { openProviderAccess } from "./provider-access.ts";
import { providerClient } from "./provider-client.ts";
import { openProviderRecords } from "./provider-records.ts";
import type { SecretsSettings } from "./provider-secrets.ts";
import { openTable } from "./table.ts";

export interface Storages {
  /** undefined: the default one. @throws BackupError `archive_unavailable` when there is no such provider. */
  at(providerId: string | undefined): Promise<Objects>;
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
  const open = new Map<string, { version: number; client: S3Client; objects: Objects }>();
  const openOne = (provider: ProviderRecord): Objects => {
    const known = open.get(provider.id);
    if (known?.version === provider.version) return known.objects;
    known?.client.destroy();
    const keys = () => access.keys(provider);
    const client = providerClient(provider, keys, settings.isPrivateStorageAllowed);
    const objects = withWords(openObjects(client, provider.bucket), provider.name);
    open.set(provider.id, { version: provider.version, client, objects });
    return objects;
  };
  return {
    async at(providerId = DEFAULT_PROVIDER) {
      if (providerId === DEFAULT_PROVIDER) return own;
      const provider = await providers.get(providerId);
      if (provider !== undefined) return openOne(provider);
      throw new BackupError("archive_unavailable", { detail: `There is no storage provider ${providerId}.` });
    },
  };
}

/** A strange storage's trouble is nothing that the Master has done wrong. */
function withWords(objects: Objects, name: string): Objects {
  const worded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw storageError(error, `The storage ${name}`);
    }
  };
  return {
    size: (key) => worded(objects.size(key)),
    read: (key, range) => worded(objects.read(key, range)),
    presignGet: (key, fileName, seconds) => worded(objects.presignGet(key, fileName, seconds)),
    remove: (key) => worded(objects.remove(key)),
  };
}
