// npm run package, offline and without credentials: bundles that are small and load fast, and a template that holds
// what the design promises of AWS.
import { execFile } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { generateX25519Identity } from "age-encryption";
import { beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "#functions/config.ts";
import { securityHeaders } from "#local/dashboard/security-headers.ts";
import { staticCredentials } from "#local/s3/credentials.ts";
import { startSsm } from "#local/ssm/server.ts";
import { API_BASE, OPERATIONS, type Operation } from "#shared/operations.ts";
import {
  packageMaster,
  resourcesOfType,
  type Template,
  type TemplateResource,
} from "#test/helpers/package-master.ts";
import { templateResolver } from "#test/helpers/resolve-template.ts";

const OWN_ISSUER = {
  oidcIssuer: "https://login.example.com:8443/realms/ops",
  oidcClientId: "backupd",
  oidcAudience: "https://backupd.example.com",
  oidcTokenOrigin: "https://tokens.example.com",
  oidcRoleClaim: "realm_access.roles",
  oidcAdminGroup: "hosting-admins",
  oidcTenantClaim: "tenant",
};

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

let template: Template;
let resources: Template["Resources"];
const ofType = (type: string): TemplateResource[] =>
  resourcesOfType(template, type).map(([, resource]) => resource);

beforeAll(async () => {
  template = await packageMaster("test", { params: OWN_ISSUER });
  resources = template.Resources;
});

describe("the bundles", () => {
  test("are at most 1 MB each", async () => {
    const dir = join(ROOT, "dist/functions");
    const files = (await readdir(dir)).filter((name) => name.endsWith(".mjs"));
    expect(files.length).toBe(ofType("AWS::Lambda::Function").length);
    for (const file of files)
      expect([file, (await stat(join(dir, file))).size <= 1_000_000]).toEqual([file, true]);
  });

  test("load without anything else and export their handler", async () => {
    for (const { Properties } of ofType("AWS::Lambda::Function")) {
      const [file, name] = String(Properties.Handler).split(".");
      const script = `const m = await import("./${file}.mjs"); process.stdout.write(typeof m.${name});`;
      const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
        cwd: join(ROOT, "dist"),
      });
      expect([file, stdout]).toEqual([file, "function"]);
    }
  });
});

test("people may sign in at any issuer, and the dashboard may talk to that one besides", () => {
  const region = "eu-central-1";
  const { resolve } = templateResolver(template, { region, account: "123456789012" });
  const [functions, headers] = ["AuthorizerLambdaFunction", "DashboardHeaders"].map(
    (id) => resolve(resources[id]?.Properties) as TemplateResource["Properties"],
  );
  expect(parseConfig({ ...functions.Environment.Variables, AWS_REGION: region }).oidc).toEqual({
    issuer: OWN_ISSUER.oidcIssuer,
    clientId: OWN_ISSUER.oidcClientId,
    audience: OWN_ISSUER.oidcAudience,
    scope: "openid email",
    roleClaim: OWN_ISSUER.oidcRoleClaim,
    groups: { viewer: "backupd-viewer", operator: "backupd-operator", admin: "hosting-admins" },
    tenantClaim: OWN_ISSUER.oidcTenantClaim,
  });
  const { SecurityHeadersConfig } = headers.ResponseHeadersPolicyConfig;
  expect(SecurityHeadersConfig.ContentSecurityPolicy.ContentSecurityPolicy).toBe(
    securityHeaders(["https://login.example.com:8443", "https://tokens.example.com"])[
      "content-security-policy"
    ],
  );
});

test("a bundle opens its stores and asks the table", async () => {
  const script = `const { handler } = await import("./functions/authorizer.mjs");
    const call = handler({ headers: { authorization: "Bearer bkp_x" }, requestContext: { requestId: "1" } }, {});
    process.stdout.write(await call.then(String, (error) => String(error?.cause?.message ?? error)));`;
  const env = {
    ...{ STAGE: "test", AWS_REGION: "eu-central-1", TABLE_NAME: "table", BUCKET_NAME: "bucket" },
    ...{ SCHEDULE_GROUP: "g", AUDIENCE: "a", AWS_ACCESS_KEY_ID: "x", AWS_SECRET_ACCESS_KEY: "x" },
    ...{ DEAD_LETTER_QUEUE_ARN: "arn:q", SCHEDULER_ROLE_ARN: "arn:s", NODE_ROLE_ARN: "arn:n" },
    // Nobody listens there.
    ...{ AWS_ENDPOINT_URL_DYNAMODB: "http://127.0.0.1:9", AWS_MAX_ATTEMPTS: "1" },
  };
  const args = ["--input-type=module", "-e", script];
  const { stdout } = await run(process.execPath, args, { cwd: join(ROOT, "dist"), env });
  expect(stdout).toContain("ECONNREFUSED");
});

test("what a bundle loads when it is needed seals and opens, without what the bundling leaves out of age and SSM", async () => {
  const parameters = { "/identity": await generateX25519Identity() };
  const credentials = staticCredentials({ AKIA: { secretAccessKey: "key" } });
  await using ssm = await startSsm({ parameters, credentials, now: () => new Date() });
  const chunks = join(ROOT, "dist/functions/storage-providers.chunks");
  const [file = ""] = (await readdir(chunks)).filter((name) => /^sealed-secrets-.*\.mjs$/.test(name));
  const script = `const { sealFor, openSealed } = await import(${JSON.stringify(join(chunks, file))});
    const sealed = await sealFor("/identity", { provider_id: "p", secret: "s" });
    const none = await sealFor("/none", { provider_id: "p", secret: "s" }).catch((error) => error.code);
    process.stdout.write(JSON.stringify([sealed.split("\\n")[0], await openSealed("/identity", sealed), none]));`;
  const env = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "key" };
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...env, AWS_ENDPOINT_URL_SSM: ssm.endpoint },
  });
  expect(JSON.parse(stdout)).toEqual([
    "-----BEGIN AGE ENCRYPTED FILE-----",
    { provider_id: "p", secret: "s" },
    "storage_identity_missing",
  ]);
});

describe("the template", () => {
  test("has a route for every operation, behind the authorizer unless it is public", () => {
    const routes = new Map(
      ofType("AWS::ApiGatewayV2::Route").map(({ Properties }) => [
        Properties.RouteKey,
        Properties.AuthorizationType,
      ]),
    );
    for (const { method, path, access } of Object.values(OPERATIONS) as Operation[]) {
      const key = `${method} ${API_BASE}${path}`;
      expect([key, routes.get(key)]).toEqual([key, access === "public" ? undefined : "CUSTOM"]);
    }
    expect(routes.get(`POST ${API_BASE}/backups/`)).toBe("CUSTOM");
    expect(routes.has("$default")).toBe(true);
  });

  test("has an authorizer that is asked every time and answers simply", () => {
    expect(ofType("AWS::ApiGatewayV2::Authorizer").map(({ Properties }) => Properties)).toMatchObject([
      { AuthorizerPayloadFormatVersion: "2.0", EnableSimpleResponses: true, AuthorizerResultTtlInSeconds: 0 },
    ]);
  });

  test("gives the node role no way to delete or list archives", () => {
    const text = JSON.stringify(resources.NodeRole?.Properties.Policies);
    expect(text).toContain("s3:PutObject");
    expect(text).not.toMatch(/s3:(\*|Delete|ListBucket|PutBucket|PutObjectRetention|BypassGovernance)/);
    expect(text).not.toMatch(/sqs:(\*|SendMessage|DeleteQueue|Purge)/);
  });
});
