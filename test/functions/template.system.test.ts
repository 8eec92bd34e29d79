// The packaged template as a whole, as it is by default and with every switch on: that it refers to nothing that is not
// there, hands out no wildcards, and holds what the design promises of AWS.
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, test } from "vitest";
import { securityHeaders } from "#local/dashboard/security-headers.ts";
import {
  packageTemplate,
  resourcesOfType,
  type Template,
  type TemplateResource,
} from "#test/helpers/package-master.ts";
import { type Resolver, templateResolver } from "#test/helpers/resolve-template.ts";
import { describeWiring } from "./template-wiring.ts";

const PLACE = { region: "eu-central-1", account: "123456789012" };
const SWITCHES = {
  objectLockDays: "30",
  archivesKms: "true",
  userPool: "true",
  alarmEmail: "ops@example.com",
  bootstrapTokenSha256: "a".repeat(64),
};

interface Packaged {
  readonly template: Template;
  readonly resolver: Resolver;
}
const packaged: Record<string, Packaged> = {};

beforeAll(async () => {
  for (const [name, params] of [
    ["default", {}],
    ["switched on", SWITCHES],
  ] as const) {
    const template = await packageTemplate("prod", { params });
    packaged[name] = { template, resolver: templateResolver(template, PLACE) };
  }
});

function get(name: string): Packaged {
  const found = packaged[name];
  if (found === undefined) throw new Error(`${name} was not packaged`);
  return found;
}

/** Resources that exist with these switches, with every function worked out. */
function resolved({ template, resolver }: Packaged): Map<string, TemplateResource> {
  return new Map(
    Object.entries(template.Resources)
      .filter(([, { Condition }]) => resolver.isOn(Condition))
      .map(([id, resource]) => [
        id,
        {
          ...resource,
          Properties: resolver.resolve(resource.Properties, id) as TemplateResource["Properties"],
        },
      ]),
  );
}

const ofType = (name: string, type: string): [string, TemplateResource][] =>
  [...resolved(get(name))].filter(([, { Type }]) => Type === type);
const propertiesOf = (name: string, id: string): TemplateResource["Properties"] =>
  resolved(get(name)).get(id)?.Properties;

describe.each(["default", "switched on"])("the template, %s", (name) => {
  test("refers to nothing that is not in it", () => {
    const { template, resolver } = get(name);
    const existing = resolved(get(name));
    for (const [id, { DependsOn = [], Properties }] of existing) {
      for (const other of [DependsOn].flat())
        expect([id, other, existing.has(other)]).toEqual([id, other, true]);
      expect(JSON.stringify(Properties ?? {})).not.toMatch(/\$\{(?!encodeURI)/);
    }
    for (const [id, { Value, Condition }] of Object.entries(template.Outputs ?? {})) {
      if (resolver.isOn(Condition)) resolver.resolve(Value, `Outputs.${id}`);
    }
  });

  test("does not refer to a resource that these switches leave out", () => {
    const { template } = get(name);
    const existing = resolved(get(name));
    const missing = Object.keys(template.Resources).filter((id) => !existing.has(id));
    for (const [id, { Properties }] of existing) {
      const text = JSON.stringify(Properties ?? {});
      for (const other of missing)
        expect([id, other, text.includes(`"${other}"`)]).toEqual([id, other, false]);
    }
  });

  test("has a wildcard in a policy only where it is written down why", () => {
    const found = [...resolved(get(name))].flatMap(([id, { Properties }]) =>
      documentsIn(Properties).flatMap(({ Statement }) =>
        Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action, Resource }) =>
          [Action, [Action].flat().every((one) => NO_RESOURCE.has(one)) ? [] : (Resource ?? [])]
            .flat(2)
            .filter((one) => one.includes("*") && !isAllowedWildcard(id, one))
            .map((one) => `${id}: ${one}`),
        ),
      ),
    );
    expect(found).toEqual([]);
  });

  test("keeps every bucket to itself and to TLS", () => {
    const policies = ofType(name, "AWS::S3::BucketPolicy").map(([, { Properties }]) => Properties);
    for (const [id, { Properties }] of ofType(name, "AWS::S3::Bucket")) {
      if (id === "ServerlessDeploymentBucket") continue;
      expect([id, Properties.PublicAccessBlockConfiguration]).toEqual([
        id,
        {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      ]);
      expect(Properties.OwnershipControls.Rules).toEqual([{ ObjectOwnership: "BucketOwnerEnforced" }]);
      const policy = policies.find(({ Bucket }) => Bucket === (Properties.BucketName ?? id));
      expect([id, policy?.PolicyDocument.Statement[0]]).toMatchObject([
        id,
        {
          Effect: "Deny",
          Action: "s3:*",
          Resource: [expect.stringMatching(/[^*]$/), expect.stringMatching(/\/\*$/)],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    }
  });

  test("keeps the records and the archives, whatever happens to the stack", () => {
    expect(resolved(get(name)).get("Table")).toMatchObject({
      DeletionPolicy: "Retain",
      Properties: {
        BillingMode: "PAY_PER_REQUEST",
        DeletionProtectionEnabled: true,
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        SSESpecification: { SSEEnabled: true },
        TimeToLiveSpecification: { AttributeName: "ttl", Enabled: true },
      },
    });
    const bucket = resolved(get(name)).get("Bucket");
    expect(bucket).toMatchObject({
      DeletionPolicy: "Retain",
      Properties: {
        VersioningConfiguration: { Status: "Enabled" },
        LoggingConfiguration: { DestinationBucketName: "AccessLogBucket" },
        NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      },
    });
    const rules = bucket?.Properties.LifecycleConfiguration.Rules as Record<string, unknown>[];
    expect(rules.some((rule) => "AbortIncompleteMultipartUpload" in rule)).toBe(true);
    // What is current is deleted by the Master alone.
    expect(JSON.stringify(rules)).not.toMatch(/"ExpirationInDays|"Expiration"/);
  });

  test("runs every function on Node 24 and arm64, with a log that ends", () => {
    const logs = ofType(name, "AWS::Logs::LogGroup");
    const functions = ofType(name, "AWS::Lambda::Function");
    // One more is the API's own.
    expect(logs).toHaveLength(functions.length + 1);
    for (const [id, { Properties }] of logs) expect([id, Properties.RetentionInDays]).toEqual([id, 30]);
    for (const [, { Properties }] of functions) {
      expect(Properties).toMatchObject({ Runtime: "nodejs24.x", Architectures: ["arm64"] });
    }
  });

  test("alarms somebody, about things that exist", () => {
    const alarms = ofType(name, "AWS::CloudWatch::Alarm");
    expect(alarms.length).toBeGreaterThanOrEqual(6);
    for (const [id, { Properties }] of alarms) {
      expect([id, Properties]).toMatchObject([
        id,
        { AlarmActions: ["backupd-prod-alarms"], TreatMissingData: expect.any(String) },
      ]);
      expect(String(Properties.AlarmDescription).length).toBeGreaterThan(20);
    }
    const [first] = ofType(name, "AWS::CloudWatch::Dashboard");
    const { widgets } = JSON.parse(first?.[1].Properties.DashboardBody) as {
      widgets: { properties: { alarms?: string[] } }[];
    };
    expect(widgets.flatMap(({ properties }) => properties.alarms ?? [])).toHaveLength(alarms.length);
  });

  test("serves the dashboard from a private bucket, under headers that allow nothing from elsewhere", () => {
    const { DistributionConfig: config } = propertiesOf(name, "Distribution");
    expect(config.DefaultCacheBehavior).toMatchObject({
      ViewerProtocolPolicy: "redirect-to-https",
      ResponseHeadersPolicyId: "DashboardHeaders",
    });
    expect(config.CacheBehaviors).toMatchObject([{ PathPattern: "/api/*", TargetOriginId: "api" }]);
    const { CustomHeadersConfig: custom } = propertiesOf(
      name,
      "DashboardHeaders",
    ).ResponseHeadersPolicyConfig;
    for (const { Header, Value } of custom.Items)
      expect([Header, Value]).toEqual([Header, securityHeaders()[Header]]);
    const { SecurityHeadersConfig: headers } = propertiesOf(
      name,
      "DashboardHeaders",
    ).ResponseHeadersPolicyConfig;
    const policy = headers.ContentSecurityPolicy.ContentSecurityPolicy as string;
    // What the local host of the dashboard sends; with a user pool, its sign-in besides.
    const pool = [
      "https://cognito-idp.eu-central-1.amazonaws.com",
      "https://backupd-prod-123456789012.auth.eu-central-1.amazoncognito.com",
    ];
    const signIn = name === "switched on" ? pool : [];
    expect(policy).toBe(securityHeaders(signIn)["content-security-policy"]);
    expect(policy).not.toMatch(/unsafe|\*|data:/);
    expect(headers.StrictTransportSecurity.AccessControlMaxAgeSec).toBeGreaterThanOrEqual(31_536_000);
    const { Statement } = propertiesOf(name, "DashboardBucketPolicy").PolicyDocument;
    expect(Statement[1]).toMatchObject({
      Principal: { Service: "cloudfront.amazonaws.com" },
      Action: "s3:GetObject",
      Condition: { StringEquals: { "aws:SourceArn": expect.stringMatching(/distribution\/Distribution$/) } },
    });
  });

  test("sends every path that is no file to the one page", () => {
    const code = String(propertiesOf(name, "DashboardPages").FunctionCode);
    const served = (uri: string): string =>
      String(runInNewContext(`${code}; handler({ request: { uri } }).uri`, { uri }));
    expect(["/", "/sites", "/sites/1", "/assets/a.js", "/favicon.svg"].map(served)).toEqual([
      ...["/index.html", "/index.html", "/index.html"],
      ...["/assets/a.js", "/favicon.svg"],
    ]);
  });
});

describe("the switches", () => {
  test("are off by default", () => {
    const bucket = propertiesOf("default", "Bucket");
    expect(bucket).not.toHaveProperty("ObjectLockConfiguration");
    expect(JSON.stringify(bucket.BucketEncryption)).toContain("AES256");
    for (const type of ["AWS::Cognito::UserPool", "AWS::SNS::Subscription"])
      expect(ofType("default", type)).toEqual([]);
    const { Environment } = propertiesOf("default", "AuthorizerLambdaFunction");
    expect(Environment.Variables).toMatchObject({ BOOTSTRAP_TOKEN_SHA256: "", ARCHIVES_KEY_ARN: "" });
  });

  test("lock archives, encrypt them with a key that nodes may use through S3, and let operators sign in", () => {
    const name = "switched on";
    expect(propertiesOf(name, "Bucket")).toMatchObject({
      ObjectLockEnabled: true,
      ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: "COMPLIANCE", Days: "30" } } },
    });
    expect(JSON.stringify(propertiesOf(name, "Bucket").BucketEncryption)).toContain("key/ArchivesKey");
    const keyUse = { Resource: "arn:aws:kms:eu-central-1:123456789012:key/ArchivesKey" };
    const throughS3 = { Condition: { StringEquals: { "kms:ViaService": "s3.eu-central-1.amazonaws.com" } } };
    for (const role of ["NodeRole", "BackupsRole", "JobsRole"]) {
      const [document] = documentsIn(propertiesOf(name, role).Policies);
      expect(document?.Statement).toContainEqual(expect.objectContaining({ ...keyUse, ...throughS3 }));
    }
    const { Environment } = propertiesOf(name, "AuthorizerLambdaFunction");
    expect(Environment.Variables).toMatchObject({
      BOOTSTRAP_TOKEN_SHA256: "a".repeat(64),
      ARCHIVES_KEY_ARN: keyUse.Resource,
    });
    expect(propertiesOf(name, "UserPool")).toMatchObject({
      MfaConfiguration: "ON",
      DeletionProtection: "ACTIVE",
    });
    expect(
      ofType(name, "AWS::Cognito::UserPoolGroup").map(([, { Properties }]) => Properties.GroupName),
    ).toEqual(["backupd-viewer", "backupd-operator", "backupd-admin"]);
    for (const id of ["AuthorizerLambdaFunction", "SignInLambdaFunction"]) {
      expect(propertiesOf(name, id).Environment.Variables).toMatchObject({
        OIDC_ISSUER: "https://cognito-idp.eu-central-1.amazonaws.com/UserPool",
        OIDC_CLIENT_ID: "UserPoolClient",
        OIDC_AUDIENCE: "",
        OIDC_ROLE_CLAIM: "cognito:groups",
      });
    }
  });
});

test("limits the rate of enrolment below that of the rest", () => {
  const [[, stage] = []] = resourcesOfType(get("default").template, "AWS::ApiGatewayV2::Stage");
  const enrol = stage?.Properties.RouteSettings["POST /api/v1/nodes/enroll"];
  const { ThrottlingRateLimit } = stage?.Properties.DefaultRouteSettings ?? {};
  expect(enrol.ThrottlingRateLimit).toBeLessThan(ThrottlingRateLimit);
  // The stage can only name routes that are there already.
  expect(get("default").template.Resources["HttpApiRoutePostApiV1NodesEnroll"]?.Type).toBe(
    "AWS::ApiGatewayV2::Route",
  );
});

describeWiring(() => ({
  ofType: (type) => ofType("default", type),
  propertiesOf: (id) => propertiesOf("default", id),
}));

interface PolicyDocument {
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: string | string[];
    readonly Resource?: string | string[];
  }[];
}

/** Every policy document anywhere in `value`. */
function documentsIn(value: unknown): PolicyDocument[] {
  if (typeof value !== "object" || value === null) return [];
  const nested = Object.values(value).flatMap(documentsIn);
  return "Statement" in value ? [value as PolicyDocument, ...nested] : nested;
}

/** Things of one kind that come and go: nodes' queues, sites' schedules, objects of one bucket, streams of one log. */
const OURS = [
  /^arn:aws:sqs:eu-central-1:\d+:backupd-prod-node-\*$/,
  /^arn:aws:scheduler:eu-central-1:\d+:schedule\/backupd-prod\/\*$/,
  /^arn:aws:s3:::Bucket\/_backupd\/manifests\/\*$/,
  /^arn:aws:s3:::Bucket\/_backupd\/probe\/\*$/,
  // Of buckets in any account, whose owners name a role so to let us in (docs/OPERATIONS.md).
  /^arn:aws:iam::\*:role\/backupd-storage-\*$/,
  /^arn:aws:s3:::(Bucket|AccessLogBucket|backupd-prod-dashboard-\d+-eu-central-1)\/\*$/,
  // Buckets elsewhere, of whichever account: their owners have to make a role of this name that trusts us.
  /^arn:aws:iam::\*:role\/backupd-storage-\*$/,
  /^arn:aws:s3:::Bucket\/_backupd\/probe\/\*$/,
  // Whichever sender the parameter of alert targets names.
  /^arn:aws:ses:eu-central-1:\d+:identity\/\*$/,
  /^arn:aws:logs:eu-central-1:\d+:log-group:\/aws\/lambda\/backupd-prod-\w+:\*$/,
];
/** In a key's own policy `*` is that key, and `kms:*` for the account's root leaves the rest to IAM, as AWS' default does. */
const KEYS = new Map([
  ["ArchivesKey", ["*", "kms:*"]],
  ["AlarmTopicKey", ["*", "kms:*"]],
]);
/** What can be done to nothing in particular: segments of traces belong to no resource. */
const NO_RESOURCE = new Set(["xray:PutTraceSegments", "xray:PutTelemetryRecords"]);

/** They list schedules and queues, for which IAM knows no resource (Service Authorization Reference). */
const LISTERS = new Set(["UpkeepRole", "DriftChoreRole"]);

function isAllowedWildcard(id: string, text: string): boolean {
  if (text === "*" && LISTERS.has(id)) return true;
  return OURS.some((pattern) => pattern.test(text)) || (KEYS.get(id)?.includes(text) ?? false);
}
