// Storage providers over the API: their life, what keeps them, whose they are to decide about, and that their secrets never
// come back; and backups that lie elsewhere are looked into, downloaded, read by nodes and deleted like any other.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openCredentials } from "#runner/io/credentials.ts";
import type { Site } from "#shared/contracts/sites.ts";
import type { StorageProvider } from "#shared/contracts/storage.ts";
import { objectKey } from "#shared/object-key.ts";
import { finishBackup } from "#test/helpers/finished-backup.ts";
import { filesOf, indexedArchive } from "#test/helpers/indexed-archive.ts";
import { type Master, startMaster, type TestNode } from "#test/helpers/master.ts";
import { type SecondStorage, startSecondStorage } from "#test/helpers/second-storage.ts";

let master: Master;
let node: TestNode;
let storage: SecondStorage;
let provider: StorageProvider;
let siteCount = 0;
let minutesAhead = 0;
const logged: unknown[] = [];
const log = (...line: unknown[]): void => void logged.push(line);
beforeAll(async () => {
  const now = () => new Date(Date.now() + minutesAhead * 60_000);
  master = await startMaster({ now, deps: { log: { info: log, warn: log, error: log } } });
  node = await master.enrolNode();
  storage = await startSecondStorage();
});
afterAll(async () => {
  await storage?.[Symbol.asyncDispose]();
  await master?.close();
});
beforeEach(async () => {
  storage.wire.fault = () => undefined;
  provider = await master.admin.call("createStorageProvider", { body: storage.provider });
});

async function siteElsewhere(): Promise<Site> {
  siteCount += 1;
  const name = `shop${siteCount}.example.com`;
  const body = { node_id: node.id, name, path: `/var/www/${name}`, storage_provider_id: provider.id };
  return master.admin.call("createSite", { body });
}

const there = () => ({ s3: storage.client, bucket: storage.provider.bucket });
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: { code?: string }) => String(error.code),
  );

describe("a provider", () => {
  test("is listed after the stack's own bucket, and read, changed and deleted by its id", async () => {
    const { items } = await master.admin.call("listStorageProviders");
    expect(items[0]).toMatchObject({ id: "default", is_default: true, bucket: master.bucket });
    expect(items).toContainEqual(provider);
    const { id } = provider;
    const renamed = await master.admin.call("patchStorageProvider", { id, body: { name: "cold" } });
    expect(await master.admin.call("getStorageProvider", { id })).toEqual(renamed);
    expect(renamed).toEqual({ ...provider, name: "cold" });
    await master.admin.call("deleteStorageProvider", { id });
    expect(await codeOf(master.admin.call("getStorageProvider", { id }))).toBe("not_found");
  });

  test("never shows its secret: in no answer, record, log line or activity, however it came and went", async () => {
    const { id } = provider;
    const secret = storage.keys.secret_access_key;
    const said = [
      await master.admin.request("POST", "/storage/providers", { body: storage.provider }),
      await master.admin.request("POST", "/storage/providers", { body: { ...storage.provider, region: 1 } }),
      await master.admin.request("POST", "/storage/providers", {
        rawBody: `{"secret_access_key": "${secret}`,
      }),
      await master.admin.request("PATCH", `/storage/providers/${id}`, {
        body: { secret_access_key: secret },
      }),
      await master.admin.request("POST", "/storage/providers/test", { body: storage.provider }),
      await master.admin.request("POST", `/storage/providers/${id}/test`),
      await master.admin.request("GET", `/storage/providers/${id}`),
      await master.admin.request("GET", "/storage/providers"),
      await master.admin.request("GET", "/activity"),
    ];
    expect(said.map(({ status }) => status)).toEqual([201, 400, 400, 200, 200, 200, 200, 200, 200]);
    for (const { text } of said) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain("age-encryption.org");
      expect(text).not.toContain("AGE ENCRYPTED");
    }
    const kept = JSON.stringify([await master.dumpTable(), logged]);
    expect(kept).toContain("BEGIN AGE ENCRYPTED FILE");
    expect(kept).toContain("storage_provider.created");
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain(JSON.stringify(secret).slice(1, -1));
  });

  test("is for the fleet's owner: operators neither see nor choose one", async () => {
    const operator = await master.operator("operator");
    const { id } = provider;
    const site = await master.createSite(node.id, `${randomUUID().slice(0, 8)}.example.com`);
    expect(await codeOf(operator.call("listStorageProviders"))).toBe("role_too_low");
    expect(await codeOf(operator.call("testStorageProvider", { id }))).toBe("role_too_low");
    const choice = { storage_provider_id: id };
    expect(await codeOf(operator.call("patchSite", { id: site.id, body: choice }))).toBe("role_too_low");
    const body = { node_id: node.id, name: "x.example.com", path: "/x", ...choice };
    expect(await codeOf(operator.call("createSite", { body }))).toBe("role_too_low");
    expect((await master.admin.call("getSite", { id: site.id })).storage_provider_id).toBe("default");
  });

  test.each([
    [{ endpoint: "https://user:pw@s3.example.com" }, "endpoint"],
    [{ endpoint: "https://s3.example.com/bucket" }, "endpoint"],
    [{ endpoint: "ftp://s3.example.com" }, "endpoint"],
    [{ bucket: "../other" }, "bucket"],
    [{ secret_access_key: "short" }, "secret_access_key"],
    [{ role_arn: "arn:aws:iam::123456789012:role/backupd-storage-x" }, "role_arn"],
  ])("with %o is refused, and changes nothing", async (odd, path) => {
    const before = await master.dumpTable();
    const answer = await master.admin.request("POST", "/storage/providers", {
      body: { ...storage.provider, ...odd },
    });
    expect([answer.status, answer.json.issues[0].path]).toEqual([400, path]);
    expect(await master.dumpTable()).toEqual(before);
  });

  test("takes of a change only what its kind has, and no new key id without its secret", async () => {
    const { id } = provider;
    const change = (body: object) => codeOf(master.admin.call("patchStorageProvider", { id, body }));
    expect(await change({ role_arn: "arn:aws:iam::123456789012:role/backupd-storage-x" })).toBe(
      "invalid_request",
    );
    expect(await change({ access_key_id: "OTHER" })).toBe("invalid_request");
    expect(await codeOf(master.admin.call("patchStorageProvider", { id: "default", body: {} }))).toBe(
      "conflict",
    );
    expect(await codeOf(master.admin.call("deleteStorageProvider", { id: "default" }))).toBe("conflict");
    expect(await master.admin.call("getStorageProvider", { id })).toEqual(provider);
  });
});

describe("a provider in use", () => {
  test("is kept: by a site that backs up to it, by backups after that, and by none any more", async () => {
    const { id } = provider;
    const site = await siteElsewhere();
    const deletion = () => master.admin.request("DELETE", `/storage/providers/${id}`);
    expect((await deletion()).json).toMatchObject({
      code: "provider_in_use",
      detail: `It is used by 1 site (${site.name}).`,
      sites: [{ id: site.id, name: site.name }],
      backups: 0,
    });
    const backup = await finishBackup(master, node, site.id, { at: there() });
    await master.admin.call("patchSite", { id: site.id, body: { storage_provider_id: "default" } });
    expect((await deletion()).json).toMatchObject({ detail: "It is used by 1 backup.", backups: 1 });
    storage.wire.fault = () => ({ status: 503, code: "SlowDown" });
    expect((await master.admin.request("DELETE", `/backups/${backup.id}`)).json?.code).toBe("storage_failed");
    expect((await deletion()).json?.detail).toContain("1 deleted backup whose archive is still there");
    storage.wire.fault = () => undefined;
    minutesAhead += 11;
    for (let hour = 0; hour < 24; hour += 1) {
      await master.invoke("retentionChore", { time: new Date(Date.UTC(2040, 0, 1, hour)).toISOString() });
    }
    expect((await deletion()).status).toBe(204);
  });

  test("cannot go at the same moment as a site comes", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id } = await master.admin.call("createStorageProvider", { body: storage.provider });
      const site = await master.createSite(node.id, `race${round}.example.com`);
      const [chosen, deleted] = await Promise.all([
        codeOf(master.admin.call("patchSite", { id: site.id, body: { storage_provider_id: id } })),
        codeOf(master.admin.call("deleteStorageProvider", { id })),
      ]);
      expect(["none,provider_in_use", "invalid_request,none"]).toContain(`${chosen},${deleted}`);
    }
  });

  test("cannot be left in the middle of a backup", async () => {
    const site = await siteElsewhere();
    const body = { site_id: site.id, runner_id: randomUUID(), trigger: "manual" as const, create: true };
    const claim = await node.client.call("claimJob", { id: randomUUID(), body });
    expect(claim.provider_id).toBe(provider.id);
    const move = { id: site.id, body: { storage_provider_id: "default" } };
    expect(await codeOf(master.admin.call("patchSite", move))).toBe("backup_in_progress");
    await node.client.call("patchJob", {
      id: claim.job.id,
      body: { fencing: claim.fencing, release: { code: "interrupted", message: "m" } },
    });
    expect(await codeOf(master.admin.call("patchSite", move))).toBe("none");
  });
});

describe("a backup elsewhere", () => {
  test("is checked, looked into, downloaded, read by its node and deleted there", async () => {
    const site = await siteElsewhere();
    const { object, sha256Index } = await indexedArchive(filesOf({ "database.sql": 1, "wp-content/a": 2 }));
    const made = { body: object, archive: { sha256_index: sha256Index }, at: there() };
    const { id, s3Path } = await finishBackup(master, node, site.id, made);
    expect(await master.admin.call("getBackup", { id })).toMatchObject({ provider_id: provider.id });
    // Wherever the site's next ones go.
    await master.admin.call("patchSite", { id: site.id, body: { storage_provider_id: "default" } });
    const files = await master.admin.call("listBackupFiles", { id });
    expect(files.items.map(({ name }) => name).sort()).toEqual(["database.sql", "wp-content"]);
    const { url } = await master.admin.call("downloadBackup", { id });
    expect(url.startsWith(storage.server.endpoint)).toBe(true);
    expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(object)).toBe(true);
    const source = await node.client.call("getNodeBackup", { id });
    expect((await fetch(source.url)).status).toBe(200);
    await master.admin.call("deleteBackup", { id });
    expect((await storage.server.inspect()).objects.map(({ key }) => key)).not.toContain(objectKey(s3Path));
  });

  test("that is not there is not recorded, whatever lies in the stack's own bucket", async () => {
    const site = await siteElsewhere();
    const ownBucket = finishBackup(master, node, site.id);
    expect(await codeOf(ownBucket)).toBe("object_missing");
  });

  test("is nothing to copy from for the first one in another storage", async () => {
    const site = await siteElsewhere();
    await finishBackup(master, node, site.id, { at: there() });
    const claim = async () => {
      const body = { site_id: site.id, runner_id: randomUUID(), trigger: "manual" as const, create: true };
      const claimed = await node.client.call("claimJob", { id: randomUUID(), body });
      await master.admin.call("cancelJob", { id: claimed.job.id });
      await node.client.call("patchJob", {
        id: claimed.job.id,
        body: { fencing: claimed.fencing, release: { code: "cancelled", message: "m" } },
      });
      return claimed;
    };
    expect((await claim()).previous).toBeDefined();
    await master.admin.call("patchSite", { id: site.id, body: { storage_provider_id: "default" } });
    const moved = await claim();
    expect([moved.provider_id, moved.previous, moved.no_previous]).toEqual([
      undefined,
      undefined,
      "storage_changed",
    ]);
  });
});

describe("a node's config", () => {
  test("has the storages of its own sites with sealed keys, and another revision when they change", async () => {
    const another = await master.enrolNode("web9.example.com");
    const config = () => another.client.call("getNodeConfig");
    const opened = async () => {
      const { credentials, server_time: serverTime } = await config();
      return openCredentials(credentials, another.ageIdentity, {
        now: new Date(),
        monotonicMs: 0,
        serverTime,
      });
    };
    expect((await config()).storages).toEqual([]);
    expect((await opened()).providers.size).toBe(0);
    const name = "nine.example.com";
    const body = { node_id: another.id, name, path: "/var/www/9", storage_provider_id: provider.id };
    await master.admin.call("createSite", { body });
    const { storages, storage: own, revision } = await config();
    expect(storages).toEqual([
      {
        provider_id: provider.id,
        bucket: "elsewhere",
        region: "us-east-1",
        endpoint: storage.server.endpoint,
        force_path_style: true,
        prefix: `${another.id}/`,
      },
    ]);
    // What older runners know stays as it was.
    expect(own).toMatchObject({ bucket: master.bucket, prefix: `${another.id}/` });
    const keys = await opened();
    expect(keys.credentials.sessionToken).toBeDefined();
    expect(keys.providers.get(provider.id)).toMatchObject({
      accessKeyId: storage.keys.access_key_id,
      secretAccessKey: storage.keys.secret_access_key,
    });
    const secret = { secret_access_key: "a-new-secret-of-the-storage" };
    await master.admin.call("patchStorageProvider", { id: provider.id, body: secret });
    expect((await config()).revision).not.toBe(revision);
    expect((await opened()).providers.get(provider.id)?.secretAccessKey).toBe(secret.secret_access_key);
  });
});

describe("a bucket on AWS that a role gives access to", () => {
  test("is reached by sessions: the node's of its own prefix only, without delete", async () => {
    const role = { kind: "aws" as const, name: "other account", region: "us-east-1", bucket: master.bucket };
    const body = { ...role, role_arn: "arn:aws:iam::000000000000:role/backupd-storage-archive" };
    const { id } = await master.admin.call("createStorageProvider", { body });
    const test = await master.admin.call("testStorageProvider", { id });
    expect([test.usable, test.steps.filter(({ outcome }) => outcome !== "good")]).toEqual([true, []]);
    const site = {
      node_id: node.id,
      name: "role.example.com",
      path: "/var/www/role",
      storage_provider_id: id,
    };
    const { id: siteId } = await master.admin.call("createSite", { body: site });
    const backup = await finishBackup(master, node, siteId);
    const { url } = await master.admin.call("downloadBackup", { id: backup.id });
    expect(await (await fetch(url)).text()).toBe("1234567");
    const { credentials, server_time: serverTime } = await node.client.call("getNodeConfig");
    const at = { now: new Date(), monotonicMs: 0, serverTime };
    const { providers } = await openCredentials(credentials, node.ageIdentity, at);
    expect(providers.get(id)?.sessionToken).toBeDefined();
    await master.admin.call("deleteBackup", { id: backup.id });
  });
});
