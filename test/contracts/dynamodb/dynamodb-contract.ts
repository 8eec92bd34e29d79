// What we rely on in DynamoDB; run against the local one, and against AWS when asked to.
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  TransactionCanceledException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import {
  BatchGetCommand,
  BatchWriteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export interface OpenClient extends AsyncDisposable {
  readonly client: DynamoDBClient;
}

/** One table with a string key pair and two global indexes, as ours will be. */
export async function createTable(client: DynamoDBClient, TableName: string): Promise<void> {
  const names = ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk"];
  const keys = (pk: string, sk: string) => [
    { AttributeName: pk, KeyType: "HASH" as const },
    { AttributeName: sk, KeyType: "RANGE" as const },
  ];
  const index = (name: string) => ({
    IndexName: name,
    KeySchema: keys(`${name}pk`, `${name}sk`),
    Projection: { ProjectionType: "ALL" as const },
  });
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: "S" as const })),
      KeySchema: keys("pk", "sk"),
      GlobalSecondaryIndexes: [index("gsi1"), index("gsi2")],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 60, minDelay: 1 }, { TableName });
}

export function dynamodbContract(name: string, open: () => Promise<OpenClient>): void {
  describe(`DynamoDB: ${name}`, () => {
    const TableName = `contract-${Date.now()}`;
    let opened: OpenClient;
    let client: DynamoDBDocumentClient;
    let count = 0;
    const uniquePk = (): string => `pk#${count++}`;

    beforeAll(async () => {
      opened = await open();
      client = DynamoDBDocumentClient.from(opened.client);
      await createTable(opened.client, TableName);
    });
    afterAll(async () => {
      await opened.client.send(new DeleteTableCommand({ TableName }));
      await opened[Symbol.asyncDispose]();
    });

    const put = (Item: Record<string, unknown>): Promise<unknown> =>
      client.send(new PutCommand({ TableName, Item }));
    const get = async (pk: string, sk: string): Promise<Record<string, unknown> | undefined> =>
      (await client.send(new GetCommand({ TableName, Key: { pk, sk }, ConsistentRead: true }))).Item;

    test("an item of every type comes back as it was put, at once with a consistent read", async () => {
      const Item = {
        pk: uniquePk(),
        sk: "types",
        text: "größe 🎈",
        empty: "",
        big: 9_007_199_254_740_991,
        negative: -0.25,
        flag: false,
        nothing: null,
        list: [1, "two", { three: 3 }],
        map: { "a.b": { c: [] } },
        set: new Set(["x", "y"]),
        bytes: new Uint8Array([0, 255, 1]),
      };
      await put(Item);
      expect(await get(Item.pk, "types")).toEqual(Item);
    });

    test("a put on condition that nothing is there happens once, and the loser is shown the winner", async () => {
      const pk = uniquePk();
      const claim = (owner: string): Promise<unknown> =>
        client.send(
          new PutCommand({
            TableName,
            Item: { pk, sk: "lease", owner },
            ConditionExpression: "attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure: "ALL_OLD",
          }),
        );
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, index) => claim(`runner-${index}`)),
      );
      expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      const winner = await get(pk, "lease");
      for (const outcome of outcomes) {
        if (outcome.status === "fulfilled") continue;
        expect(outcome.reason).toBeInstanceOf(ConditionalCheckFailedException);
        expect(outcome.reason.Item).toMatchObject({ owner: { S: winner?.owner } });
      }
    });

    test("an update adds, sets and removes, answers with the new item, and only if its condition holds", async () => {
      const pk = uniquePk();
      await put({ pk, sk: "job", fencing: 1, state: "queued", note: "old" });
      const update = (state: string) =>
        client.send(
          new UpdateCommand({
            TableName,
            Key: { pk, sk: "job" },
            UpdateExpression:
              "ADD fencing :one SET #state = :new, beat = if_not_exists(beat, :now) REMOVE note",
            ConditionExpression: "#state = :old AND fencing BETWEEN :one AND :ten",
            ExpressionAttributeNames: { "#state": "state" },
            ExpressionAttributeValues: {
              ":one": 1,
              ":ten": 10,
              ":old": state,
              ":new": "running",
              ":now": 77,
            },
            ReturnValues: "ALL_NEW",
          }),
        );
      const updated = await update("queued");
      expect(updated.Attributes).toEqual({ pk, sk: "job", fencing: 2, state: "running", beat: 77 });
      await expect(update("queued")).rejects.toBeInstanceOf(ConditionalCheckFailedException);
      expect(await get(pk, "job")).toEqual(updated.Attributes);
    });

    test("concurrent ADDs lose nothing", async () => {
      const pk = uniquePk();
      const add = new UpdateCommand({
        TableName,
        Key: { pk, sk: "counter" },
        UpdateExpression: "ADD n :one",
        ExpressionAttributeValues: { ":one": 1 },
      });
      await Promise.all(Array.from({ length: 25 }, () => client.send(add)));
      expect(await get(pk, "counter")).toMatchObject({ n: 25 });
    });

    test("a transaction writes all or nothing, and says which condition failed", async () => {
      const pk = uniquePk();
      await put({ pk, sk: "quota", used: 5 });
      const transact = (limit: number): Promise<unknown> =>
        client.send(
          new TransactWriteCommand({
            TransactItems: [
              {
                Put: {
                  TableName,
                  Item: { pk, sk: "backup" },
                  ConditionExpression: "attribute_not_exists(pk)",
                },
              },
              {
                Update: {
                  TableName,
                  Key: { pk, sk: "quota" },
                  UpdateExpression: "ADD used :five",
                  ConditionExpression: "used < :limit",
                  ExpressionAttributeValues: { ":five": 5, ":limit": limit },
                  ReturnValuesOnConditionCheckFailure: "ALL_OLD",
                },
              },
            ],
          }),
        );
      const error = await transact(5).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TransactionCanceledException);
      const reasons = (error as TransactionCanceledException).CancellationReasons;
      expect(reasons?.map(({ Code }) => Code)).toEqual(["None", "ConditionalCheckFailed"]);
      expect(reasons?.[1]?.Item).toMatchObject({ used: { N: "5" } });
      expect(await get(pk, "backup")).toBeUndefined();
      expect(await get(pk, "quota")).toMatchObject({ used: 5 });
      await transact(6);
      expect(await get(pk, "backup")).toEqual({ pk, sk: "backup" });
      expect(await get(pk, "quota")).toMatchObject({ used: 10 });
    });

    test("queries by prefix and range, either way round, filtered, page by page", async () => {
      const pk = uniquePk();
      const sks = Array.from({ length: 30 }, (_, index) => `backup#${String(index).padStart(3, "0")}`);
      for (let from = 0; from < sks.length; from += 25) {
        const writes = sks.slice(from, from + 25).map((sk, index) => ({
          PutRequest: { Item: { pk, sk, parity: (from + index) % 2, padding: "x".repeat(100) } },
        }));
        await client.send(new BatchWriteCommand({ RequestItems: { [TableName]: writes } }));
      }
      await put({ pk, sk: "other#000" });
      const base = {
        TableName,
        KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
        ExpressionAttributeValues: { ":pk": pk, ":prefix": "backup#" },
      };
      const found: unknown[] = [];
      const pages: number[] = [];
      for await (const page of paginateQuery({ client, pageSize: 8 }, { ...base, ScanIndexForward: false })) {
        pages.push(page.Items?.length ?? 0);
        found.push(...(page.Items ?? []).map(({ sk }) => sk as string));
      }
      expect(found).toEqual([...sks].reverse());
      expect(pages.slice(0, 3)).toEqual([8, 8, 8]);
      // Limit counts what is read, not what passes the filter.
      const filtered = await client.send(
        new QueryCommand({
          ...base,
          FilterExpression: "parity = :one",
          ExpressionAttributeValues: { ...base.ExpressionAttributeValues, ":one": 1 },
          Limit: 10,
        }),
      );
      expect(filtered).toMatchObject({
        Count: 5,
        ScannedCount: 10,
        LastEvaluatedKey: { pk, sk: "backup#009" },
      });
      const between = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :a AND :b",
          ExpressionAttributeValues: { ":pk": pk, ":a": "backup#010", ":b": "backup#012" },
          ConsistentRead: true,
          ProjectionExpression: "sk",
        }),
      );
      expect(between.Items).toEqual([{ sk: "backup#010" }, { sk: "backup#011" }, { sk: "backup#012" }]);
    });

    test("a global index finds items by its own keys, holds only those that have them, and pages", async () => {
      const [pk, gsi1pk] = [uniquePk(), uniquePk()];
      for (const index of [0, 1, 2]) await put({ pk, sk: `s${index}`, gsi1pk, gsi1sk: `t${2 - index}` });
      await put({ pk, sk: "not indexed" });
      const query = {
        TableName,
        IndexName: "gsi1",
        KeyConditionExpression: "gsi1pk = :pk",
        ExpressionAttributeValues: { ":pk": gsi1pk },
      };
      await expect
        .poll(async () => (await client.send(new QueryCommand(query))).Items?.map(({ sk }) => sk as string))
        .toEqual(["s2", "s1", "s0"]);
      const first = await client.send(new QueryCommand({ ...query, Limit: 2 }));
      expect(first.LastEvaluatedKey).toEqual({ pk, sk: "s1", gsi1pk, gsi1sk: "t1" });
      const rest = await client.send(
        new QueryCommand({ ...query, ExclusiveStartKey: first.LastEvaluatedKey }),
      );
      expect(rest.Items?.map(({ sk }) => sk as string)).toEqual(["s0"]);
    });

    test("a batch get finds what is there", async () => {
      const pk = uniquePk();
      await put({ pk, sk: "there" });
      const Keys = [
        { pk, sk: "there" },
        { pk, sk: "not there" },
      ];
      const found = await client.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys } } }));
      expect(found.Responses?.[TableName]).toEqual([{ pk, sk: "there" }]);
    });

    test("time to live can be switched on", async () => {
      const TimeToLiveSpecification = { AttributeName: "expires_at", Enabled: true };
      await opened.client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
      const found = await opened.client.send(new DescribeTimeToLiveCommand({ TableName }));
      expect(found.TimeToLiveDescription).toMatchObject({ AttributeName: "expires_at" });
      expect(found.TimeToLiveDescription?.TimeToLiveStatus).toMatch(/^ENABL/);
    });
  });
}
