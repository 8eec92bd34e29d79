// From the table of grants to IAM policies: with CloudFormation's expressions when packaging, with plain ARNs on the
// local stack.
import { GRANTS, RESOURCES, type Resource } from "./grants.ts";

/** What each resource's ARN is: a string, or an expression of CloudFormation. */
export type ResourceArns = Readonly<Record<Resource, unknown>>;

export interface Statement {
  readonly Effect: "Allow";
  readonly Action: readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** undefined for a function without a row. */
export function statementsOf(functionName: string, arns: ResourceArns): Statement[] | undefined {
  return GRANTS[functionName]?.map(({ on, may }) => ({
    Effect: "Allow",
    Action: may,
    Resource: arns[on],
    // A role that could be handed to any service would be a way to that role's rights.
    ...(on === "scheduler_role"
      ? { Condition: { StringEquals: { "iam:PassedToService": "scheduler.amazonaws.com" } } }
      : {}),
  }));
}

/** The expressions are in serverless.yml, which knows what it calls its things. */
const TEMPLATE_ARNS: ResourceArns = Object.fromEntries(
  RESOURCES.map((name) => [name, `\${self:custom.arns.${name}}`]),
) as ResourceArns;

const sub = (text: string): unknown => ({ "Fn::Sub": text });

/** S3 asks KMS in the caller's name, where the archives have a key of their own. */
const useArchivesKey = (...actions: readonly string[]): unknown => ({
  "Fn::If": [
    "HasArchivesKey",
    {
      Effect: "Allow",
      Action: actions,
      Resource: { "Fn::GetAtt": ["ArchivesKey", "Arn"] },
      Condition: { StringEquals: { "kms:ViaService": sub(`s3.\${AWS::Region}.\${AWS::URLSuffix}`) } },
    },
    { Ref: "AWS::NoValue" },
  ],
});

export function roleLogicalId(functionName: string): string {
  return `${functionName.charAt(0).toUpperCase()}${functionName.slice(1)}Role`;
}

/** One AWS::IAM::Role. Throws for a function without a row in grants.ts. */
export function functionRole(functionName: string): object {
  const statements = statementsOf(functionName, TEMPLATE_ARNS);
  if (statements === undefined) {
    throw new Error(
      `The function ${functionName} has no row in functions/core/grants.ts: say what it may do there.`,
    );
  }
  const may = (action: string): boolean =>
    GRANTS[functionName]?.some((grant) => grant.may.includes(action)) === true;
  const keyActions = [
    ...(may("s3:GetObject") ? ["kms:Decrypt"] : []),
    ...(may("s3:PutObject") ? ["kms:GenerateDataKey"] : []),
  ];
  const logGroup = `/aws/lambda/backupd-\${sls:stage}-${functionName}`;
  const write: Statement = {
    Effect: "Allow",
    Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
    Resource: sub(`arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${logGroup}:*`),
  };
  // What X-Ray takes has no resource that a policy could name (Service Authorization Reference, AWS X-Ray).
  const trace: Statement = {
    Effect: "Allow",
    Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
    Resource: "*",
  };
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      // Named, because the node role lets in nodeAgent by its name.
      RoleName: sub(`backupd-\${sls:stage}-${functionName}-\${AWS::Region}`),
      AssumeRolePolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      },
      Policies: [
        {
          PolicyName: functionName,
          PolicyDocument: {
            Version: "2012-10-17",
            Statement: [
              write,
              trace,
              ...statements,
              ...(keyActions.length > 0 ? [useArchivesKey(...keyActions)] : []),
            ],
          },
        },
      ],
    },
  };
}
