// One role per function, as packaged: it allows every call that the function makes, and nothing that none does.
import { runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import { generateX25519Identity } from "age-encryption";
import { beforeAll, describe, expect, test } from "vitest";
import { roleLogicalId, statementsOf } from "#functions/core/function-roles.ts";
import { GRANTS } from "#functions/core/grants.ts";
import { sessionPolicy } from "#functions/core/session-policy.ts";
import { watchCalls } from "#functions/stores/aws-client.ts";
import { openQueues } from "#functions/stores/queues.ts";
import { enforceRoles, type FunctionCall } from "#local/iam/enforce-roles.ts";
import { localArns } from "#local/iam/local-arns.ts";
import { STORAGE_IDENTITY } from "#local/ssm/storage-identity.ts";
import { notifyEnvironment, startFakeNotifyServices } from "#test/fakes/fake-notify-services.ts";
import { startMaster } from "#test/helpers/master.ts";
import { packageTemplate, resourcesOfType, type Template } from "#test/helpers/package-master.ts";
import { POSTS, type Repeated, repeatPosts } from "#test/helpers/repeat-posts.ts";
import { type Resolver, templateResolver } from "#test/helpers/resolve-template.ts";
import { makeEveryCall } from "./make-every-call.ts";

const PLACE = { region: "us-east-1", account: "000000000000" };
const BUCKET = "backupd-local-archives";
const ARNS = localArns(
  {
    tableName: "backupd-local",
    bucketName: BUCKET,
    deadLetterQueueName: "backupd-local-dead-letters",
    storedQueueName: "backupd-local-stored",
    scheduleGroup: "backupd-local",
  },
  PLACE,
);

interface Statement {
  readonly Action: string | string[];
  readonly Resource: string | string[];
}

let template: Template;
let resolver: Resolver;
const calls = new Map<string, FunctionCall>();
const repeated: Repeated[] = [];

beforeAll(async () => {
  template = await packageTemplate("local", { region: PLACE.region });
  resolver = templateResolver(template, { ...PLACE, names: { Bucket: BUCKET } });
  let hoursAhead = 0;
  await using services = await startFakeNotifyServices();
  services.parameters.set(STORAGE_IDENTITY, await generateX25519Identity());
  services.parameter = JSON.stringify({ email: { from: "a@example.com", to: ["b@example.com"] } });
  await using master = await startMaster({
    env: notifyEnvironment(services),
    now: () => new Date(Date.now() + hoursAhead * 3_600_000),
    onCall: (call) => calls.set(Object.values(call).join(" "), call),
  });
  await makeEveryCall(
    repeatPosts(master, (one) => repeated.push(one)),
    (hours) => {
      hoursAhead += hours;
    },
  );
});

type Policy = { Statement: Statement[] };

function policyOf(functionName: string): Policy {
  return rolePolicy(roleLogicalId(functionName));
}

function rolePolicy(logicalId: string): Policy {
  const { Policies } = resolver.resolve(template.Resources[logicalId]?.Properties) as {
    Policies: { PolicyDocument: Policy }[];
  };
  expect(Policies).toHaveLength(1);
  return Policies[0]?.PolicyDocument ?? { Statement: [] };
}

/** What the role's holder must be able to say of itself for a grant's condition. */
const CONTEXT: Readonly<Record<string, Record<string, string>>> = {
  "iam:PassRole": { "iam:PassedToService": "scheduler.amazonaws.com" },
};

async function simulate(
  policy: Policy,
  action: string,
  resource: string,
  more: Partial<Simulation> = {},
  context: Record<string, string> = CONTEXT[action] ?? {},
): Promise<string> {
  const principal = `arn:aws:sts::${PLACE.account}:assumed-role/some-role/session`;
  const result = await runSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource, accountId: PLACE.account },
        contextVariables: context,
      },
      identityPolicies: [{ name: "role", policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...more,
    },
    {},
  );
  if (result.resultType === "error") throw new Error(`${action} on ${resource}: ${result.errors.message}`);
  return result.overallResult;
}

test("every POST that is sent again with its key gets its first answer again", () => {
  expect(new Set(repeated.map(({ operation }) => operation))).toEqual(new Set(POSTS.map(([id]) => id)));
  for (const { operation, first, second } of repeated) {
    const isReplay = second.headers.get("idempotency-replayed");
    expect([operation, second.status, second.text, isReplay]).toEqual([
      ...[operation, first.status, first.text, "true"],
    ]);
  }
});

describe("the role of a function", () => {
  test("is its own", () => {
    const functions = resourcesOfType(template, "AWS::Lambda::Function");
    const roles = functions.map(([, { Properties }]) => JSON.stringify(Properties.Role));
    expect(new Set(roles).size).toBe(functions.length);
    expect(functions.map(([id]) => id.replace(/LambdaFunction$/, "").toLowerCase()).sort()).toEqual(
      Object.keys(GRANTS)
        .map((name) => name.toLowerCase())
        .sort(),
    );
  });

  test("allows every call that the function makes", async () => {
    expect(calls.size).toBeGreaterThan(40);
    for (const { functionName, action, resource } of calls.values()) {
      const answer = await simulate(policyOf(functionName), action, resource);
      expect([functionName, action, resource, answer]).toEqual([functionName, action, resource, "Allowed"]);
    }
  });

  test("allows nothing that the function does not do, unless the grant says why", () => {
    const unused = Object.entries(GRANTS).flatMap(([functionName, grants]) =>
      grants
        .filter(({ because }) => because === undefined)
        .flatMap(({ on, may }) => may.map((action) => ({ functionName, on, action })))
        .filter((grant) => !isUsed(grant.functionName, grant.action, ARNS[grant.on])),
    );
    expect(unused).toEqual([]);
  });

  test("allows no function what only another one may", async () => {
    const all = [
      ...new Map([...calls.values()].map((call) => [`${call.action} ${call.resource}`, call])).values(),
    ];
    for (const functionName of Object.keys(GRANTS)) {
      const statements = statementsOf(functionName, ARNS) ?? [];
      for (const { action, resource } of all) {
        if (statements.some(({ Action }) => Action.includes(action))) continue;
        expect([functionName, action, await simulate(policyOf(functionName), action, resource)]).toEqual([
          functionName,
          action,
          "ImplicitlyDenied",
        ]);
      }
    }
  });

  test("hands the scheduler's role to nobody but the scheduler", async () => {
    const to = (service: string): Promise<string> =>
      simulate(
        policyOf("sites"),
        "iam:PassRole",
        ARNS.scheduler_role,
        {},
        { "iam:PassedToService": service },
      );
    expect(await to("scheduler.amazonaws.com")).toBe("Allowed");
    expect(await to("lambda.amazonaws.com")).toBe("ImplicitlyDenied");
  });
});

function isUsed(functionName: string, action: string, pattern: string): boolean {
  const prefix = pattern.endsWith("*") ? pattern.slice(0, -1) : undefined;
  return [...calls.values()].some(
    (call) =>
      call.functionName === functionName &&
      call.action === action &&
      (prefix === undefined ? call.resource === pattern : call.resource.startsWith(prefix)),
  );
}

test("the local stack refuses what a role does not allow", async () => {
  using roles = enforceRoles({ place: PLACE, arns: ARNS });
  const queues = openQueues({ stage: "local", deadLetterQueueArn: ARNS.dead_letter_queue });
  const url = `http://127.0.0.1:9/${PLACE.account}/backupd-local-node-x`;
  await expect(roles.runAs("activity", () => queues.remove(url))).rejects.toMatchObject({
    name: "AccessDeniedException",
  });
  watchCalls(undefined);
});

describe("the node role, cut down to a session of one node", () => {
  const nodeId = "0b8f3a52-5e0c-4b57-9f6a-0d3f3d7f6a11";
  const other = "7c1d2e3f-1111-4222-8333-944445555666";
  const queueOf = (id: string): string => `arn:aws:sqs:us-east-1:${PLACE.account}:backupd-local-node-${id}`;
  const objectOf = (id: string): string => `arn:aws:s3:::${BUCKET}/${id}/site/a.tar.zst`;
  const bucketArn = `arn:aws:s3:::${BUCKET}`;

  async function may(action: string, resource: string): Promise<boolean> {
    const session = JSON.parse(
      sessionPolicy({ nodeId, roleArn: ARNS.node_role, bucket: BUCKET, queueArn: queueOf(nodeId) }),
    );
    const answer = await simulate(rolePolicy("NodeRole"), action, resource, { sessionPolicy: session });
    return answer === "Allowed";
  }
  const QUEUE = ["ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"];
  const OBJECT = ["GetObject", "PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"];

  test("works on its own queue and below its own prefix, and on nobody else's", async () => {
    for (const id of [nodeId, other]) {
      for (const action of QUEUE)
        expect([id, action, await may(`sqs:${action}`, queueOf(id))]).toEqual([id, action, id === nodeId]);
      for (const action of OBJECT)
        expect([id, action, await may(`s3:${action}`, objectOf(id))]).toEqual([id, action, id === nodeId]);
    }
    expect(await may("s3:GetObject", `${bucketArn}/${nodeId}x/a.tar.zst`)).toBe(false);
  });

  test("can neither delete, nor list, nor weaken what protects the archives", async () => {
    const objects = [
      ...["DeleteObject", "DeleteObjectVersion", "GetObjectVersion", "PutObjectAcl", "PutObjectRetention"],
      ...["PutObjectLegalHold", "BypassGovernanceRetention", "RestoreObject", "PutObjectTagging"],
    ];
    for (const action of objects)
      expect([action, await may(`s3:${action}`, objectOf(nodeId))]).toEqual([action, false]);
    const buckets = [
      ...[
        "ListBucket",
        "ListBucketVersions",
        "ListBucketMultipartUploads",
        "DeleteBucket",
        "PutBucketPolicy",
      ],
      ...["PutLifecycleConfiguration", "PutBucketVersioning", "PutReplicationConfiguration"],
    ];
    for (const action of buckets)
      expect([action, await may(`s3:${action}`, bucketArn)]).toEqual([action, false]);
    const queues = ["SendMessage", "PurgeQueue", "DeleteQueue", "SetQueueAttributes", "CreateQueue"];
    for (const action of queues)
      expect([action, await may(`sqs:${action}`, queueOf(nodeId))]).toEqual([action, false]);
  });

  test("is given out by nobody but nodeAgent", async () => {
    const trust = resolver.resolve(template.Resources["NodeRole"]?.Properties.AssumeRolePolicyDocument);
    const all = {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: "*" }],
    };
    for (const name of Object.keys(GRANTS)) {
      const role = `arn:aws:iam::${PLACE.account}:role/backupd-local-${name}-${PLACE.region}`;
      const answer = await simulate(
        all as unknown as Policy,
        "sts:AssumeRole",
        ARNS.node_role,
        { resourcePolicy: trust, request: assume(role) },
        {},
      );
      // An account's own identity policies are enough only where the trust policy does not bar the way.
      expect([name, answer]).toEqual([name, name === "nodeAgent" ? "Allowed" : "ImplicitlyDenied"]);
    }
  });

  function assume(role: string): Simulation["request"] {
    return {
      principal: role,
      action: "sts:AssumeRole",
      resource: { resource: ARNS.node_role, accountId: PLACE.account },
      contextVariables: { "aws:PrincipalArn": role },
    };
  }
});
