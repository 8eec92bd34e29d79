// Object lock as the archives' bucket uses it (infra/archives.yml): until the retention is over nobody removes a version,
// and a delete only hides it. Asked of real servers only: the local S3 keeps no versions.
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
} from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { nodeSession, ownKey, type SessionSubject } from "./session-cases.ts";
import { clientOf, expectRefusal, MIB, patterned, put, putInParts, readObject } from "./subject.ts";

const BODY = Buffer.from("an archive");
/** Long enough for a case; the server keeps its bucket so long. */
const RETENTION_MS = 600_000;

export function lockCases(source: () => SessionSubject): void {
  describe("object lock", () => {
    const on = (): SessionSubject => {
      const { subject, ...rest } = source();
      return { ...rest, subject: { ...subject, bucket: `${subject.bucket}-locked` } };
    };
    beforeAll(async () => {
      const { subject } = on();
      const create = new CreateBucketCommand({ Bucket: subject.bucket, ObjectLockEnabledForBucket: true });
      await clientOf(subject).send(create);
    });

    const head = (Key: string, VersionId?: string): Promise<HeadObjectCommandOutput> => {
      const { subject } = on();
      return clientOf(subject).send(new HeadObjectCommand({ Bucket: subject.bucket, Key, VersionId }));
    };
    const remove = (Key: string, how: { VersionId?: string; BypassGovernanceRetention?: boolean } = {}) => {
      const { subject } = on();
      return clientOf(subject).send(new DeleteObjectCommand({ Bucket: subject.bucket, Key, ...how }));
    };
    const retain = (Key: string, VersionId: string, RetainUntilDate: Date) => {
      const { subject } = on();
      const Retention = { Mode: "COMPLIANCE", RetainUntilDate } as const;
      return clientOf(subject).send(
        new PutObjectRetentionCommand({ Bucket: subject.bucket, Key, VersionId, Retention }),
      );
    };

    async function putLocked(Key: string): Promise<{ versionId: string; until: Date }> {
      const { subject } = on();
      const until = new Date(Math.ceil((Date.now() + RETENTION_MS) / 1000) * 1000);
      const lock = { ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: until } as const;
      const { VersionId: versionId = "" } = await clientOf(subject).send(
        new PutObjectCommand({ Bucket: subject.bucket, Key, Body: BODY, ...lock }),
      );
      expect(versionId).not.toBe("");
      return { versionId, until };
    }

    it("keeps a version from everybody until its date", async () => {
      const { versionId: VersionId, until } = await putLocked("kept");
      const seen = await head("kept", VersionId);
      expect(seen).toMatchObject({ ObjectLockMode: "COMPLIANCE", ObjectLockRetainUntilDate: until });
      await expectRefusal(remove("kept", { VersionId }), "AccessDenied", 403);
      const bypass = { VersionId, BypassGovernanceRetention: true };
      await expectRefusal(remove("kept", bypass), "AccessDenied", 403);
      expect((await head("kept", VersionId)).ContentLength).toBe(BODY.length);
    });

    it("lets a delete hide a version, which is still there", async () => {
      const { subject } = on();
      const { versionId: VersionId } = await putLocked("hidden");
      const marker = await remove("hidden");
      expect(marker.DeleteMarker).toBe(true);
      await expectRefusal(readObject(clientOf(subject), subject.bucket, "hidden"), "NoSuchKey", 404);
      const { Body: body } = await clientOf(subject).send(
        new GetObjectCommand({ Bucket: subject.bucket, Key: "hidden", VersionId }),
      );
      expect(await body?.transformToString()).toBe(BODY.toString());
      await expectRefusal(remove("hidden", { VersionId }), "AccessDenied", 403);
      await remove("hidden", { VersionId: marker.VersionId ?? "" });
      expect((await readObject(clientOf(subject), subject.bucket, "hidden")).equals(BODY)).toBe(true);
    });

    it("lets a version be written over, and keeps the one before", async () => {
      const { subject } = on();
      const { versionId: VersionId } = await putLocked("twice");
      await put(clientOf(subject), subject.bucket, "twice", Buffer.from("encrypted by somebody"));
      const before = await clientOf(subject).send(
        new GetObjectCommand({ Bucket: subject.bucket, Key: "twice", VersionId }),
      );
      expect(await before.Body?.transformToString()).toBe(BODY.toString());
    });

    it("can be made longer, not shorter", async () => {
      const { versionId, until } = await putLocked("longer");
      await expectRefusal(
        retain("longer", versionId, new Date(until.getTime() - 60_000)),
        "AccessDenied",
        403,
      );
      const later = new Date(until.getTime() + 60_000);
      await retain("longer", versionId, later);
      expect((await head("longer", versionId)).ObjectLockRetainUntilDate).toEqual(later);
    });

    it("takes no date in the past", async () => {
      const { subject } = on();
      const past = {
        ObjectLockMode: "COMPLIANCE",
        ObjectLockRetainUntilDate: new Date(Date.now() - 60_000),
      } as const;
      const action = clientOf(subject).send(
        new PutObjectCommand({ Bucket: subject.bucket, Key: "past", Body: BODY, ...past }),
      );
      await expectRefusal(action, "InvalidArgument", 400);
    });

    it("is not weakened by a node", async () => {
      const { subject } = on();
      const Key = ownKey("archive");
      const { versionId: VersionId, until } = await putLocked(Key);
      const node = await nodeSession(on());
      const place = { Bucket: subject.bucket, Key, VersionId };
      const Retention = { Mode: "COMPLIANCE", RetainUntilDate: new Date(until.getTime() + 60_000) } as const;
      const longer = node.send(new PutObjectRetentionCommand({ ...place, Retention }));
      await expectRefusal(longer, "AccessDenied", 403);
      const bypass = new DeleteObjectCommand({ ...place, BypassGovernanceRetention: true });
      await expectRefusal(node.send(bypass), "AccessDenied", 403);
      const hide = new DeleteObjectCommand({ Bucket: subject.bucket, Key });
      await expectRefusal(node.send(hide), "AccessDenied", 403);
      const survey = new ListObjectVersionsCommand({ Bucket: subject.bucket });
      await expectRefusal(node.send(survey), "AccessDenied", 403);
    });

    it("comes to an archive from the bucket's default", async () => {
      const { subject } = on();
      // Governance here, so that what the test leaves can be removed.
      const Rule = { DefaultRetention: { Mode: "GOVERNANCE", Days: 1 } } as const;
      await clientOf(subject).send(
        new PutObjectLockConfigurationCommand({
          Bucket: subject.bucket,
          ObjectLockConfiguration: { ObjectLockEnabled: "Enabled", Rule },
        }),
      );
      const node = await nodeSession(on());
      const Key = ownKey("in-parts");
      await putInParts(node, subject.bucket, Key, [patterned(5 * MIB), BODY]);
      const { VersionId = "", ObjectLockMode, ObjectLockRetainUntilDate: until } = await head(Key);
      expect(ObjectLockMode).toBe("GOVERNANCE");
      expect((until?.getTime() ?? 0) - Date.now()).toBeGreaterThan(23 * 3_600_000);
      await expectRefusal(remove(Key, { VersionId }), "AccessDenied", 403);
      await remove(Key, { VersionId, BypassGovernanceRetention: true });
      await expectRefusal(head(Key), "NotFound", 404);
    });
  });
}
