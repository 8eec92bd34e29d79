// EventBridge's rules for the bucket's events on loopback: what the local S3 tells of goes through the patterns of infra/
// into the queues that they name.
import { randomUUID } from "node:crypto";
import type { ObjectCreated } from "./s3/object-created.ts";
import { readServerlessFile, type ServerlessFile } from "./serverless-file.ts";

export interface ObjectRule {
  readonly suffixes: readonly string[];
  /** The logical id of the queue it sends to. */
  readonly queue: string;
}

interface RuleProperties {
  readonly EventPattern?: {
    readonly source: readonly string[];
    readonly "detail-type": readonly string[];
    readonly detail: { readonly object: { readonly key: readonly { readonly suffix: string }[] } };
  };
  readonly Targets: readonly { readonly Arn: string }[];
}

export function readObjectRules(file: ServerlessFile): ObjectRule[] {
  return Object.values(file.resources.Resources)
    .filter(({ Type }) => Type === "AWS::Events::Rule")
    .flatMap(({ Properties }) => {
      const { EventPattern: pattern, Targets } = Properties as unknown as RuleProperties;
      if (pattern?.source.includes("aws.s3") !== true || !pattern["detail-type"].includes("Object Created")) {
        return [];
      }
      const suffixes = pattern.detail.object.key.map(({ suffix }) => suffix);
      return Targets.map(({ Arn }) => ({ suffixes, queue: Arn.replace(/\.Arn$/, "") }));
    });
}

/** `send` takes the queue's logical id. */
export async function openObjectRules(
  send: (queue: string, body: string) => void,
): Promise<(created: ObjectCreated) => void> {
  const rules = readObjectRules(await readServerlessFile());
  return ({ bucket, key, bytes, etag, reason, at }) => {
    const detail = { version: "0", bucket: { name: bucket }, object: { key, size: bytes, etag }, reason };
    const event = { version: "0", id: randomUUID(), "detail-type": "Object Created", source: "aws.s3" };
    const body = JSON.stringify({ ...event, time: at.toISOString(), detail });
    for (const rule of rules) {
      if (rule.suffixes.some((suffix) => key.endsWith(suffix))) send(rule.queue, body);
    }
  };
}
