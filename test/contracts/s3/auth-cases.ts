// The contract of authentication: whatever is not signed by a known key, now, for exactly this request, is refused.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { describe, expect, it } from "vitest";
import { signedFetch } from "./signed-fetch.ts";
import { clientOf, expectRefusal, put, readObject, type SubjectSource } from "./subject.ts";

/** Sends BODY only after 100 Continue. */
async function putExpectingContinue(
  url: string,
): Promise<{ continued: boolean; status: number | undefined }> {
  const headers = { expect: "100-continue", "content-length": BODY.length };
  const put = request(url, { method: "PUT", headers });
  let continued = false;
  put.once("continue", () => {
    continued = true;
    put.end(BODY);
  });
  put.flushHeaders();
  const [reply] = (await once(put, "response")) as [IncomingMessage];
  reply.resume();
  await once(reply, "end");
  put.destroy();
  return { continued, status: reply.statusCode };
}

const BODY = Buffer.from("signed and sealed");

export function authCases(subject: SubjectSource): void {
  describe("authentication", () => {
    it("refuses a request without a signature, with an unknown key or a wrong secret", async () => {
      const { bucket, endpoint, credentials } = subject();
      const anonymous = await fetch(`${endpoint}/${bucket}/x`);
      expect([anonymous.status, await anonymous.text()]).toEqual([
        403,
        expect.stringContaining("AccessDenied"),
      ]);
      const unknown = clientOf(subject(), { credentials: { accessKeyId: "NOBODY", secretAccessKey: "x" } });
      await expectRefusal(readObject(unknown, bucket, "x"), "InvalidAccessKeyId", 403);
      const wrong = clientOf(subject(), { credentials: { ...credentials, secretAccessKey: "wrong" } });
      await expectRefusal(readObject(wrong, bucket, "x"), "SignatureDoesNotMatch", 403);
    });

    it("refuses a clock that is more than 15 minutes off", async () => {
      const { bucket } = subject();
      for (const minutes of [-16, 16]) {
        const skewed = clientOf(subject(), { systemClockOffset: minutes * 60_000 });
        await expectRefusal(readObject(skewed, bucket, "x"), "RequestTimeTooSkewed", 403);
      }
      const tolerable = clientOf(subject(), { systemClockOffset: 14 * 60_000 });
      await put(tolerable, bucket, "auth/tolerable", BODY);
    });

    it("serves a presigned URL as signed, and nothing else with it", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      await put(client, bucket, "auth/shared file", BODY);
      await put(client, bucket, "auth/other", BODY);
      const command = new GetObjectCommand({ Bucket: bucket, Key: "auth/shared file" });
      const url = await getSignedUrl(client, command, { expiresIn: 60 });
      expect(await (await fetch(url)).text()).toBe(BODY.toString());
      const forged = [
        [url.replace("shared%20file", "other"), "GET"],
        [url, "PUT"],
        [url, "DELETE"],
        [url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), "GET"],
        [`${url}&response-content-type=text/html`, "GET"],
      ] as const;
      for (const [target, method] of forged) {
        const reply = await fetch(target, { method, ...(method === "PUT" ? { body: "evil" } : {}) });
        expect([reply.status, await reply.text()]).toEqual([
          403,
          expect.stringContaining("SignatureDoesNotMatch"),
        ]);
      }
      const unsigned = await fetch(url, { headers: { "x-amz-copy-source": `${bucket}/auth/other` } });
      expect(unsigned.status).toBe(403);
      expect((await readObject(client, bucket, "auth/shared file")).equals(BODY)).toBe(true);
    });

    it("refuses a presigned URL when its time is over, or longer than a week", async () => {
      const { bucket } = subject();
      const client = clientOf(subject());
      const command = new GetObjectCommand({ Bucket: bucket, Key: "auth/late" });
      await put(client, bucket, "auth/late", BODY);
      const signingDate = new Date(Date.now() - 62_000);
      const late = await fetch(await getSignedUrl(client, command, { expiresIn: 60, signingDate }));
      expect([late.status, await late.text()]).toEqual([403, expect.stringContaining("expired")]);
      const url = await getSignedUrl(client, command, { expiresIn: 60 });
      const endless = await fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801"));
      expect(endless.status).toBe(400);
    });

    it("takes a presigned PUT", async () => {
      const { bucket } = subject();
      const client = clientOf(subject(), { requestChecksumCalculation: "WHEN_REQUIRED" });
      const command = new PutObjectCommand({ Bucket: bucket, Key: "auth/presigned-put" });
      const url = await getSignedUrl(client, command, { expiresIn: 60 });
      expect((await fetch(url, { method: "PUT", body: BODY })).status).toBe(200);
      expect((await readObject(client, bucket, "auth/presigned-put")).equals(BODY)).toBe(true);
    });

    it("lets a client that waits send its body only once its request is accepted", async () => {
      const { bucket } = subject();
      const client = clientOf(subject(), { requestChecksumCalculation: "WHEN_REQUIRED" });
      const command = new PutObjectCommand({ Bucket: bucket, Key: "auth/expect" });
      const url = await getSignedUrl(client, command, { expiresIn: 60 });
      expect(await putExpectingContinue(url)).toEqual({ continued: true, status: 200 });
      const refused = await putExpectingContinue(url.replace("auth/expect", "auth/forged"));
      expect(refused).toEqual({ continued: false, status: 403 });
    });

    it("refuses a body that is not the one signed, and stores nothing", async () => {
      const { bucket } = subject();
      const reply = await signedFetch(subject(), {
        method: "PUT",
        path: `/${bucket}/auth/swapped`,
        body: BODY,
        payloadHash: createHash("sha256").update("another").digest("hex"),
      });
      expect([reply.status, await reply.text()]).toEqual([
        400,
        expect.stringContaining("XAmzContentSHA256Mismatch"),
      ]);
      const head = new HeadObjectCommand({ Bucket: bucket, Key: "auth/swapped" });
      await expectRefusal(clientOf(subject()).send(head), "NotFound", 404);
    });

    it.each(["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"] as const)(
      "checks every chunk of %s",
      async (payloadHash) => {
        const { bucket } = subject();
        const chunks = [Buffer.alloc(70_000, "a"), Buffer.alloc(8192, "b"), Buffer.from("c")];
        const path = `/${bucket}/auth/${payloadHash}`;
        const signed = { method: "PUT", path, body: Buffer.concat(chunks), chunks, payloadHash };
        const good = await signedFetch(subject(), signed);
        expect([good.status, await good.text()]).toEqual([200, ""]);
        const stored = await readObject(clientOf(subject()), bucket, `auth/${payloadHash}`);
        expect(stored.equals(signed.body)).toBe(true);
        const bad = await signedFetch(subject(), { ...signed, tamper: true });
        expect([bad.status, await bad.text()]).toEqual([
          403,
          expect.stringContaining("SignatureDoesNotMatch"),
        ]);
      },
    );

    it("answers what it cannot do with 501 rather than something else", async () => {
      const { bucket } = subject();
      const reply = await signedFetch(subject(), {
        method: "PUT",
        path: `/${bucket}`,
        query: "policy=",
        body: BODY,
      });
      expect([reply.status, await reply.text()]).toEqual([501, expect.stringContaining("NotImplemented")]);
    });
  });
}
