// A state directory of an older version: the table that is there gets the indexes that it lacks.
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { expect, test } from "vitest";
import { startDynamodb } from "#local/dynamodb.ts";
import { createTable } from "#local/tables.ts";
import { makeTempDir } from "#test/local/demo/temp-dir.ts";

test("an index that serverless.yml has and the table has not is added", async () => {
  await using dir = await makeTempDir();
  await using server = await startDynamodb({ dataDir: dir.path, port: 0 });
  const settings = {
    endpoint: server.endpoint,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  };
  const client = new DynamoDBClient(settings);
  const keys = (prefix: string) => [
    { AttributeName: `${prefix}pk`, KeyType: "HASH" as const },
    { AttributeName: `${prefix}sk`, KeyType: "RANGE" as const },
  ];
  const attributes = ["pk", "sk", "gsi1pk", "gsi1sk"];
  await client.send(
    new CreateTableCommand({
      TableName: "old",
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: keys(""),
      AttributeDefinitions: attributes.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      GlobalSecondaryIndexes: [
        { IndexName: "gsi1", KeySchema: keys("gsi1"), Projection: { ProjectionType: "ALL" } },
      ],
    }),
  );
  await createTable("old", new DynamoDBClient(settings));
  const { Table } = await client.send(new DescribeTableCommand({ TableName: "old" }));
  const names = Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => String(IndexName));
  expect(names?.toSorted()).toEqual(["gsi1", "gsi2", "gsi3", "gsi4"]);
  client.destroy();
});
