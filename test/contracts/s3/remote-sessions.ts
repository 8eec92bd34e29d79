// Sessions on the server of remote-subject.ts by its own STS: of the role S3_TEST_ROLE_ARN, which the keys may assume and
// which may do everything in S3, or of one that is made for the run at S3_TEST_IAM_ENDPOINT. Both endpoints are the
// storage's own unless they are named. S3_TEST_SESSION_SECONDS is the shortest session that the server gives.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { type SessionSubject, sessionKeys } from "./session-cases.ts";
import { signedFetch } from "./signed-fetch.ts";
import type { S3Subject } from "./subject.ts";

/** Of AWS. */
const SHORTEST_SECONDS = "900";

export async function openRemoteSessions(subject: S3Subject): Promise<SessionSubject & AsyncDisposable> {
  const { S3_TEST_STS_ENDPOINT, S3_TEST_ROLE_ARN, S3_TEST_SESSION_SECONDS } = process.env;
  const role = S3_TEST_ROLE_ARN === undefined ? await makeRole(subject) : { arn: S3_TEST_ROLE_ARN };
  const { region, credentials } = subject;
  const endpoint = S3_TEST_STS_ENDPOINT ?? subject.endpoint;
  const sts = new STSClient({ endpoint, region, credentials: { ...credentials }, maxAttempts: 1 });
  return {
    subject,
    roleArn: role.arn,
    shortestSeconds: Number(S3_TEST_SESSION_SECONDS ?? SHORTEST_SECONDS),
    async assume(Policy, DurationSeconds) {
      const asked = { RoleArn: role.arn, RoleSessionName: "backupd-contract", Policy, DurationSeconds };
      return sessionKeys(await sts.send(new AssumeRoleCommand(asked)));
    },
    async pass(seconds) {
      await delay(seconds * 1000);
      return { aheadMs: 0 };
    },
    async [Symbol.asyncDispose]() {
      sts.destroy();
      await role.remove?.();
    },
  };
}

interface Role {
  readonly arn: string;
  remove?(): Promise<void>;
}

/** While the run lasts, anybody with keys of the server may assume it. */
async function makeRole(subject: S3Subject): Promise<Role> {
  const RoleName = `backupd-contract-${randomBytes(6).toString("hex")}`;
  const PolicyName = "everything";
  const policy = (statement: object): string =>
    JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  const trust = policy({ Principal: { AWS: ["*"] }, Action: ["sts:AssumeRole"] });
  const everything = policy({ Action: "s3:*", Resource: "arn:aws:s3:::*" });
  const made = await callIam(subject, { Action: "CreateRole", RoleName, AssumeRolePolicyDocument: trust });
  const arn = /<Arn>([^<]+)<\/Arn>/.exec(made)?.[1];
  if (arn === undefined) throw new Error(`CreateRole answers without an ARN: ${made}`);
  await callIam(subject, { Action: "PutRolePolicy", RoleName, PolicyName, PolicyDocument: everything });
  return {
    arn,
    async remove() {
      await callIam(subject, { Action: "DeleteRolePolicy", RoleName, PolicyName });
      await callIam(subject, { Action: "DeleteRole", RoleName });
    },
  };
}

async function callIam(subject: S3Subject, parameters: Record<string, string>): Promise<string> {
  const endpoint = process.env["S3_TEST_IAM_ENDPOINT"] ?? subject.endpoint;
  const body = Buffer.from(new URLSearchParams({ ...parameters, Version: "2010-05-08" }).toString());
  const reply = await signedFetch(
    { ...subject, endpoint },
    {
      method: "POST",
      path: "/",
      service: "iam",
      contentType: "application/x-www-form-urlencoded",
      body,
    },
  );
  const text = await reply.text();
  if (reply.ok) return text;
  throw new Error(`${parameters["Action"]} answers ${reply.status}: ${text}. Name a role: S3_TEST_ROLE_ARN.`);
}
