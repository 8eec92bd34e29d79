// CloudFormation's functions worked out as CloudFormation would, with every name that it would make up itself being
// the resource's logical id: a Ref or attribute that leads nowhere throws, with the place where it stands.
import type { Template, TemplateResource } from "./package-master.ts";

export interface Surroundings {
  readonly region: string;
  readonly account: string;
  /** Values of parameters that are not their defaults. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Names that CloudFormation would make up, by logical id. */
  readonly names?: Readonly<Record<string, string>>;
}

export interface Resolver {
  /** `value` with every function in it replaced; throws for a reference to nothing. */
  readonly resolve: (value: unknown, at?: string) => unknown;
  readonly isOn: (condition: string | undefined) => boolean;
}

type Attributes = (name: string, places: Surroundings) => Record<string, string>;
const arnOnly =
  (service: string, kind: string): Attributes =>
  (name, { region, account }) => ({ Arn: `arn:aws:${service}:${region}:${account}:${kind}${name}` });

/** What Fn::GetAtt may ask of each type (the user guide's "Return values"), as far as the template does. */
const ATTRIBUTES: Readonly<Record<string, Attributes>> = {
  "AWS::DynamoDB::Table": arnOnly("dynamodb", "table/"),
  "AWS::SQS::Queue": (name, places) => ({ ...arnOnly("sqs", "")(name, places), QueueName: name }),
  "AWS::Lambda::Function": arnOnly("lambda", "function:"),
  "AWS::Logs::LogGroup": arnOnly("logs", "log-group:"),
  "AWS::KMS::Key": arnOnly("kms", "key/"),
  "AWS::SNS::Topic": arnOnly("sns", ""),
  "AWS::Events::Rule": arnOnly("events", "rule/"),
  "AWS::Cognito::UserPool": arnOnly("cognito-idp", "userpool/"),
  "AWS::IAM::Role": (name, { account }) => ({ Arn: `arn:aws:iam::${account}:role/${name}` }),
  "AWS::S3::Bucket": (name, { region }) => ({
    Arn: `arn:aws:s3:::${name}`,
    RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
  }),
  "AWS::CloudWatch::Alarm": arnOnly("cloudwatch", "alarm:"),
  "AWS::CloudFront::Function": (name, { account }) => ({
    FunctionARN: `arn:aws:cloudfront::${account}:function/${name}`,
  }),
  "AWS::CloudFront::Distribution": (name) => ({ DomainName: `${name}.cloudfront.net` }),
  "AWS::CloudFront::OriginAccessControl": (name) => ({ Id: name }),
};

/** The property that holds a resource's name, where Ref gives it. */
const NAME_PROPERTY: Readonly<Record<string, string>> = {
  "AWS::DynamoDB::Table": "TableName",
  "AWS::SQS::Queue": "QueueName",
  "AWS::Lambda::Function": "FunctionName",
  "AWS::Logs::LogGroup": "LogGroupName",
  "AWS::IAM::Role": "RoleName",
  "AWS::S3::Bucket": "BucketName",
  "AWS::SNS::Topic": "TopicName",
};

export function templateResolver(template: Template, places: Surroundings): Resolver {
  const pseudo: Record<string, unknown> = {
    "AWS::Partition": "aws",
    "AWS::Region": places.region,
    "AWS::AccountId": places.account,
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "the-stack",
    "AWS::StackId": `arn:aws:cloudformation:${places.region}:${places.account}:stack/the-stack/1`,
    "AWS::NoValue": undefined,
  };
  const resourceAt = (id: string, at: string): TemplateResource => {
    const found = template.Resources[id];
    if (found === undefined) throw new Error(`${at}: there is no ${id}.`);
    return found;
  };
  const nameOf = (id: string, at: string): string => {
    const { Type, Properties } = resourceAt(id, at);
    const own = Properties?.[NAME_PROPERTY[Type] ?? ""];
    return own === undefined
      ? (places.names?.[id] ?? id)
      : String(resolve(own, `${id}.${NAME_PROPERTY[Type]}`));
  };
  const ref = (id: string, at: string): unknown => {
    if (Object.hasOwn(pseudo, id)) return pseudo[id];
    const parameter = template.Parameters?.[id];
    if (parameter === undefined) return nameOf(id, at);
    const value = places.parameters?.[id] ?? parameter.Default;
    if (value === undefined) throw new Error(`${at}: the parameter ${id} has no default; give it a value.`);
    return value;
  };
  const attribute = (id: string, name: string, at: string): string => {
    const { Type } = resourceAt(id, at);
    const value = ATTRIBUTES[Type]?.(nameOf(id, at), places)[name];
    if (value === undefined) throw new Error(`${at}: ${Type} has no attribute ${name} that this test knows.`);
    return value;
  };
  const substitute = (text: string, own: Readonly<Record<string, unknown>>, at: string): string =>
    text.replaceAll(/\$\{([^!}][^}]*)\}/g, (_all, name: string) => {
      if (Object.hasOwn(own, name)) return String(resolve(own[name], at));
      const dot = name.indexOf(".");
      return String(dot === -1 ? ref(name, at) : attribute(name.slice(0, dot), name.slice(dot + 1), at));
    });
  const isOn = (name: string | undefined): boolean => {
    if (name === undefined) return true;
    const condition = template.Conditions?.[name];
    if (condition === undefined) throw new Error(`There is no condition ${name}.`);
    return decide(condition, `Conditions.${name}`);
  };
  const decide = (condition: unknown, at: string): boolean => {
    const [[fn, args] = []] = Object.entries(condition as Record<string, unknown>);
    const list = args as unknown[];
    if (fn === "Condition") return isOn(String(args));
    if (fn === "Fn::Equals") return resolve(list[0], at) === resolve(list[1], at);
    if (fn === "Fn::Not") return !decide(list[0], at);
    if (fn === "Fn::And") return list.every((one) => decide(one, at));
    if (fn === "Fn::Or") return list.some((one) => decide(one, at));
    throw new Error(`${at}: ${fn} is not a condition that this test knows.`);
  };
  const call = (fn: string, args: unknown, at: string): unknown => {
    const list = args as unknown[];
    if (fn === "Ref") return ref(String(args), at);
    if (fn === "Fn::GetAtt") {
      const [id, name] = typeof args === "string" ? args.split(".") : (list as string[]);
      return attribute(id ?? "", name ?? "", at);
    }
    if (fn === "Fn::Sub") {
      return typeof args === "string"
        ? substitute(args, {}, at)
        : substitute(String(list[0]), list[1] as Record<string, unknown>, at);
    }
    if (fn === "Fn::Join") {
      return (resolve(list[1], at) as unknown[]).map(String).join(String(list[0]));
    }
    if (fn === "Fn::If") return resolve(isOn(String(list[0])) ? list[1] : list[2], at);
    if (fn === "Fn::Split") return String(resolve(list[1], at)).split(String(list[0]));
    if (fn === "Fn::Select") return (resolve(list[1], at) as unknown[])[Number(list[0])];
    throw new Error(`${at}: ${fn} is not a function that this test knows.`);
  };
  const resolve = (value: unknown, at = "template"): unknown => {
    if (Array.isArray(value)) {
      return value.map((one, index) => resolve(one, `${at}[${index}]`)).filter((one) => one !== undefined);
    }
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value);
    const [[fn, args] = []] = entries;
    if (entries.length === 1 && fn !== undefined && (fn === "Ref" || fn.startsWith("Fn::")))
      return call(fn, args, at);
    return Object.fromEntries(
      entries
        .map(([name, one]) => [name, resolve(one, `${at}.${name}`)] as const)
        .filter(([, one]) => one !== undefined),
    );
  };
  return { resolve, isOn };
}
