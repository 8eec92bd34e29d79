// The one DynamoDB table: its client, its key fields, and what every entity file shares. Entities are declared
// with ElectroDB; keys keep their case because signing keys and cursors are base64url.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { awsClient } from "./aws-client.ts";

export interface Table {
  readonly client: DynamoDBDocumentClient;
  readonly name: string;
}

export function openTable(name: string): Table {
  const client = DynamoDBDocumentClient.from(awsClient(new DynamoDBClient({})), {
    marshallOptions: { removeUndefinedValues: true },
  });
  return { client, name };
}

export function key<const C extends readonly string[]>(
  field: string,
  composite: C,
): { field: string; composite: C; casing: "none" } {
  return { field, composite, casing: "none" };
}

/**
 * The index of what a tenant has, newest first. Its key is the record's own field, so what has no tenant is not in it, and
 * records of a time before tenants need no change.
 */
export function ofTenant<const C extends readonly string[]>(
  composite: C,
): {
  index: "gsi4";
  pk: { field: "tenant"; composite: ["tenant"]; template: string; casing: "none" };
  sk: { field: string; composite: C; casing: "none" };
} {
  return {
    index: "gsi4",
    pk: { field: "tenant", composite: ["tenant"], template: `\${tenant}`, casing: "none" },
    sk: key("gsi4sk", composite),
  };
}

/** DynamoDB deletes an item some time after this; readers check expiry themselves. */
export function ttlSeconds(iso: string, keepDays: number): number {
  return Math.ceil(Date.parse(iso) / 1000) + keepDays * 86_400;
}
