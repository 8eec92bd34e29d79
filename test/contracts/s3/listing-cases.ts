// The contract of listings: order, folding, paging, and keys that tempt a server to interpret them.
import { ListObjectsCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { describe, expect, it } from "vitest";
import { clientOf, put, readObject, type SubjectSource } from "./subject.ts";

const ODD_KEYS = [
  "odd/ leading and  double",
  "odd/%2F%25",
  "odd/../../etc/passwd",
  "odd/./dot",
  "odd//double",
  "odd/+plus",
  "odd/a&b<c>\"d'",
  "odd/quote'(x)!*",
  "odd/zażółć-日本語-😀",
  "odd/~tilde",
  "odd/trailing/",
];

export function listingCases(subject: SubjectSource): void {
  describe("listings", () => {
    it("keeps odd keys apart and lists them in the order of their bytes", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      await Promise.all(ODD_KEYS.map((key) => put(client, bucket, key, Buffer.from(key))));
      for (const key of ODD_KEYS) expect((await readObject(client, bucket, key)).toString()).toBe(key);
      const inByteOrder = [...ODD_KEYS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: "odd/" }));
      expect(page.Contents?.map((object) => object.Key)).toEqual(inByteOrder);
      const encoded = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: "odd/", EncodingType: "url" }),
      );
      const decoded = encoded.Contents?.map((object) => decodeURIComponent(object.Key ?? ""));
      expect(decoded).toEqual(inByteOrder);
    });

    it("folds at the delimiter and pages through objects and prefixes", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const keys = ["f/a", "f/b/1", "f/b/2", "f/b0", "f/c/x/y", "f/d", "f/é/1"];
      await Promise.all(keys.map((key) => put(client, bucket, key, Buffer.from("x"))));
      const seen: (string | undefined)[] = [];
      let ContinuationToken: string | undefined;
      let pages = 0;
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: "f/",
            Delimiter: "/",
            MaxKeys: 2,
            ContinuationToken,
          }),
        );
        seen.push(...(page.Contents ?? []).map((object) => object.Key));
        seen.push(...(page.CommonPrefixes ?? []).map((prefix) => prefix.Prefix));
        expect(page.KeyCount).toBeLessThanOrEqual(2);
        ContinuationToken = page.NextContinuationToken;
        pages++;
      } while (ContinuationToken !== undefined);
      expect(pages).toBe(3);
      expect(seen).toHaveLength(6);
      expect(new Set(seen)).toEqual(new Set(["f/a", "f/b/", "f/b0", "f/c/", "f/d", "f/é/"]));
    });

    it("pages by marker in version 1 and starts after a key in version 2", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      await Promise.all(
        ["m/1", "m/2/a", "m/2/b", "m/3"].map((key) => put(client, bucket, key, Buffer.from("x"))),
      );
      const place = { Bucket: bucket, Prefix: "m/", Delimiter: "/" };
      const first = await client.send(new ListObjectsCommand({ ...place, MaxKeys: 2 }));
      expect(first.CommonPrefixes?.map((prefix) => prefix.Prefix)).toEqual(["m/2/"]);
      expect(first.NextMarker).toBe("m/2/");
      const second = await client.send(new ListObjectsCommand({ ...place, Marker: "m/2/" }));
      expect(second.Contents?.map((object) => object.Key)).toEqual(["m/3"]);
      expect(second.CommonPrefixes ?? []).toEqual([]);
      const after = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: "m/", StartAfter: "m/2/a" }),
      );
      expect(after.Contents?.map((object) => object.Key)).toEqual(["m/2/b", "m/3"]);
    });
  });
}
