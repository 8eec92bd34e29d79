// Sums of what backups use, and the manifest that a lost table is rebuilt from.
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeManifest, encodeManifest, oldManifests } from "#functions/core/manifest.ts";
import type { BackupRecord, NodeRecord, ProviderRecord, SiteRecord } from "#functions/core/records.ts";
import { samplesOf, sumUse, topUsers } from "#functions/core/storage-use.ts";

const NOW = new Date("2030-01-31T12:00:00.000Z");
const [N1, N2, S1, S2, S3] = [randomUUID(), randomUUID(), randomUUID(), randomUUID(), randomUUID()];
const site = (id: string, more: Partial<SiteRecord> = {}): SiteRecord => ({
  ...{ id, version: 7, life: "live", node_id: N1, name: "shop.example.com", path: "/var/www/shop" },
  ...{ state: "active", created_at: NOW.toISOString(), exclude: [] },
  ...more,
});
const node = (id: string): NodeRecord => ({
  ...{ id, life: "live", name: `web-${id}`, state: "active", created_at: NOW.toISOString() },
  ...{ signing_key: "key", age_recipient: "age", queue_url: "http://q", site_count: 3 },
  last_seen_at: NOW.toISOString(),
});
const used = (node_id: string, site_id: string, size_bytes: number) => ({ node_id, site_id, size_bytes });

describe("what the backups use", () => {
  const use = sumUse([used(N1, S1, 5), used(N1, S1, 6), used(N1, S2, 100), used(N2, S3, 1)]);

  test("in all, and by those who use the most", () => {
    expect(use.total).toEqual({ bytes: 112, backups: 4 });
    const elsewhere = sumUse([used(N1, S1, 5), { ...used(N1, S2, 6), provider_id: "p" }]);
    expect(topUsers(elsewhere, { nodes: [], sites: [] }, 1).providers).toEqual([
      { provider_id: "p", bytes: 6, backups: 1 },
      { provider_id: "default", bytes: 5, backups: 1 },
    ]);
    const top = topUsers(use, { nodes: [node(N1)], sites: [site(S2)] }, 2);
    expect(top.nodes).toEqual([
      { node_id: N1, name: `web-${N1}`, bytes: 111, backups: 3 },
      { node_id: N2, name: null, bytes: 1, backups: 1 },
    ]);
    expect(top.sites.map(({ site_id, name, bytes }) => [site_id, name, bytes])).toEqual([
      [S2, "shop.example.com", 100],
      [S1, null, 11],
    ]);
  });

  test("by day, for the fleet and each tenant", () => {
    const sites = [site(S1, { tenant: "acme" }), site(S2), site(S3, { tenant: "acme" })];
    const date = "2030-01-31";
    expect(samplesOf(use, sites, NOW)).toEqual([
      { scope: "fleet", date, bytes: 112, backups: 4 },
      { scope: "tenant:acme", date, bytes: 12, backups: 3 },
    ]);
    expect(samplesOf(sumUse([]), [], NOW)).toEqual([{ scope: "fleet", date, bytes: 0, backups: 0 }]);
  });
});

describe("the manifest", () => {
  const hold = { at: NOW.toISOString(), by: "me" };
  const backups = [{ s3_path: "/a", hold }, { s3_path: "/b" }] as Pick<BackupRecord, "s3_path" | "hold">[];
  const schedule = { expression: "rate(1 day)", time_zone: "UTC", flexible_minutes: 0, enabled: true };
  const provider: ProviderRecord = {
    ...{ id: randomUUID(), version: 7, kind: "s3", name: "R2", region: "auto", bucket: "elsewhere" },
    ...{ endpoint: "https://r2.example.com", force_path_style: true, created_at: NOW.toISOString() },
    ...{ access_key_id: "AK", sealed_secret: "-----BEGIN AGE ENCRYPTED FILE-----" },
  };
  const full = site(S1, {
    ...{ schedule, quota_bytes: 9, active_job_id: randomUUID(), last_backup_bytes: 3 },
    storage_provider_id: provider.id,
  });
  const input = { providers: [provider], nodes: [node(N1)], sites: [full, site(S2)], backups };
  const text = encodeManifest(input, "prod", NOW);

  test("has what only records know, and neither what changes by itself nor rights", () => {
    const manifest = decodeManifest(text);
    expect(manifest.backups).toEqual([{ s3_path: "/a", hold }]);
    expect(manifest.nodes[0]).toMatchObject({ id: N1, signing_key: "key", age_recipient: "age" });
    expect(manifest.sites[0]).toMatchObject({
      ...{ id: S1, schedule, quota_bytes: 9, storage_provider_id: provider.id },
    });
    const { version: _version, sealed_secret: _secret, ...shown } = provider;
    expect(manifest.providers).toEqual([shown]);
    expect(text).not.toMatch(/active_job_id|last_backup|last_seen|site_count|hash|token|secret|AGE/);
  });

  test("of before there were providers in it is read as ever", () => {
    const lines = encodeManifest({ ...input, providers: [] }, "prod", NOW);
    const old = lines.replace('"providers":0,', "");
    expect(old).not.toContain("providers");
    expect(decodeManifest(old)).toMatchObject({ providers: [], sites: [{ id: S1 }, { id: S2 }] });
  });

  test("is believed whole or not at all", () => {
    const lines = text.split("\n");
    for (let cut = 0; cut < lines.length - 1; cut += 1) {
      expect(() => decodeManifest(lines.filter((_, at) => at !== cut).join("\n"))).toThrow(/manifest/);
      expect(() => decodeManifest(lines.slice(0, cut).join("\n"))).toThrow(/manifest/);
    }
    expect(() => decodeManifest(text.replace('"live"', '"dead"'))).toThrow(
      "Line 3 of the manifest is not valid",
    );
    expect(() => decodeManifest(text.replace('"manifest":1', '"manifest":2'))).toThrow("Line 1");
  });

  test("is kept for sixty days, and the newest in any case", () => {
    const dates = Array.from({ length: 90 }, (_, day) =>
      new Date(NOW.getTime() - day * 86_400_000).toISOString().slice(0, 10),
    );
    expect(oldManifests(dates, NOW)).toHaveLength(29);
    expect(oldManifests(["2020-01-01", "2020-01-02"], NOW)).toEqual([]);
  });
});
