// Hundreds of enrolled nodes with a site each, and thousands of backups, written into the records directly: enrolling
// and backing up are proved elsewhere, and would take longer than what is measured here.
import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { SignJWT } from "jose";
import type { BackupRecord, SiteRecord } from "#functions/core/records.ts";
import type { Records } from "#functions/stores/records.ts";
import { aBackup } from "#test/contracts/records/a-backup.ts";
import { aSite } from "#test/functions/core/job-records.ts";
import { type ApiClient, apiClient } from "#test/helpers/api-client.ts";
import type { Master } from "#test/helpers/master.ts";

/** Of DynamoDB's transactions. */
const ITEMS_PER_WRITE = 100;

export interface LoadedNode {
  readonly id: string;
  readonly site: SiteRecord;
  /** Signs a token for each call, as backupd does. */
  readonly client: ApiClient;
}

export async function writeNodes(master: Master, records: Records, count: number): Promise<LoadedNode[]> {
  const recipient = await identityToRecipient(await generateX25519Identity());
  return await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const { privateKey, publicKey } = generateKeyPairSync("ed25519");
      const id = randomUUID();
      const name = `load${index}.example.com`;
      const site = aSite({ id: randomUUID(), node_id: id, name, path: `/var/www/${name}` });
      const node = {
        id,
        life: "live" as const,
        name,
        state: "active" as const,
        created_at: new Date().toISOString(),
        signing_key: String(publicKey.export({ format: "jwk" }).x),
        age_recipient: recipient,
        queue_url: `http://127.0.0.1:9/000000000000/backupd-local-node-${id}`,
        site_count: 0,
      };
      const isWritten =
        (await records.transact(records.nodes.createItems(node))) && (await records.sites.create(site));
      if (!isWritten) throw new Error(`${name} could not be written`);
      const token = (): Promise<string> => sign(id, master.audience, privateKey);
      return { id, site, client: apiClient(master.url, token) };
    }),
  );
}

/** For as long as the Master lets a token last, as calls may wait on a machine that is busy. */
function sign(id: string, audience: string, key: KeyObject): Promise<string> {
  const iat = Math.floor(Date.now() / 1000);
  return new SignJWT({ iss: id, sub: id, aud: audience, iat, exp: iat + 120, jti: randomUUID() })
    .setProtectedHeader({ alg: "EdDSA" })
    .sign(key);
}

/** Seven an instant, so that pages end between backups of the same time. Gives their ids. */
export async function writeBackups(records: Records, site: SiteRecord, count: number): Promise<string[]> {
  const from = Date.UTC(2029, 0, 1);
  const backups = Array.from({ length: count }, (_, index): BackupRecord => {
    const createdAt = new Date(from + Math.floor(index / 7) * 3_600_000).toISOString();
    return aBackup({ site_id: site.id, site_name: site.name, node_id: site.node_id, created_at: createdAt });
  });
  for (let at = 0; at < count; at += ITEMS_PER_WRITE) {
    const some = backups.slice(at, at + ITEMS_PER_WRITE);
    if (!(await records.transact(some.map((backup) => records.backups.createItem(backup))))) {
      throw new Error("backups could not be written");
    }
  }
  return backups.map(({ id }) => id);
}
