// The loss of the table: every item of it is deleted.
import { DeleteItemCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";

/** `env` as a stack has it. Returns how many items there were. */
export async function emptyTable(env: Readonly<Record<string, string | undefined>>): Promise<number> {
  const client = new DynamoDBClient({
    region: env["AWS_REGION"] ?? "",
    endpoint: env["AWS_ENDPOINT_URL_DYNAMODB"] ?? "",
    credentials: {
      accessKeyId: env["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: env["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  });
  const TableName = env["TABLE_NAME"];
  let deleted = 0;
  try {
    for (;;) {
      const { Items = [] } = await client.send(new ScanCommand({ TableName, ConsistentRead: true }));
      if (Items.length === 0) return deleted;
      for (const { pk, sk } of Items) {
        if (pk === undefined || sk === undefined) throw new Error("an item without its key");
        await client.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }));
      }
      deleted += Items.length;
    }
  } finally {
    client.destroy();
  }
}
