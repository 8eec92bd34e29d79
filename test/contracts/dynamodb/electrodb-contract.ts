// What ElectroDB makes of our kind of entity has to work on the DynamoDB below: its expressions are its own.
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { Entity, Service } from "electrodb";
import { expect } from "vitest";

/** Puts, patches, queries and transacts a small entity; fails where the DynamoDB does not do as AWS does. */
export async function exerciseElectrodb(client: DynamoDBClient, table: string): Promise<void> {
  const site = new Entity(
    {
      model: { entity: "site", version: "1", service: "backupd" },
      attributes: {
        siteId: { type: "string", required: true },
        nodeId: { type: "string", required: true },
        state: { type: ["active", "paused"] as const, required: true, default: "active" },
        bytes: { type: "number", default: 0 },
        tags: { type: "set", items: "string" },
        note: { type: "string" },
      },
      indexes: {
        byId: { pk: { field: "pk", composite: ["siteId"] }, sk: { field: "sk", composite: [] } },
        byNode: {
          index: "gsi1",
          pk: { field: "gsi1pk", composite: ["nodeId"] },
          sk: { field: "gsi1sk", composite: ["siteId"] },
        },
      },
    },
    { client, table },
  );
  await site.create({ siteId: "s1", nodeId: "n1", tags: ["a"], note: "x" }).go();
  await expect(site.create({ siteId: "s1", nodeId: "n1" }).go()).rejects.toThrow(
    /conditional request failed/i,
  );
  const patched = await site
    .patch({ siteId: "s1" })
    .add({ bytes: 7, tags: ["b"] })
    .set({ state: "paused" })
    .remove(["note"])
    .where(({ state }, { eq }) => eq(state, "active"))
    .go({ response: "all_new" });
  expect(patched.data).toMatchObject({ siteId: "s1", bytes: 7, state: "paused", tags: ["a", "b"] });
  expect(patched.data).not.toHaveProperty("note");
  await expect(site.patch({ siteId: "none" }).set({ bytes: 1 }).go()).rejects.toThrow(
    /conditional request failed/i,
  );

  for (const siteId of ["s2", "s3", "s4"]) await site.put({ siteId, nodeId: "n1" }).go();
  const first = await site.query.byNode({ nodeId: "n1" }).go({ limit: 3 });
  const rest = await site.query.byNode({ nodeId: "n1" }).go({ cursor: first.cursor });
  expect([...first.data, ...rest.data].map(({ siteId }) => siteId)).toEqual(["s1", "s2", "s3", "s4"]);

  const service = new Service({ site });
  const transact = (expected: "active" | "paused") =>
    service.transaction
      .write(({ site: sites }) => [
        sites.create({ siteId: "s5", nodeId: "n2" }).commit(),
        sites
          .patch({ siteId: "s1" })
          .set({ state: "active" })
          .where(({ state }, { eq }) => eq(state, expected))
          .commit({ response: "all_old" }),
      ])
      .go();
  const refused = await transact("active");
  expect(refused.canceled).toBe(true);
  expect(refused.data.map(({ code }) => code)).toEqual(["None", "ConditionalCheckFailed"]);
  expect(refused.data[1]?.item).toMatchObject({ siteId: "s1", state: "paused" });
  expect((await site.get({ siteId: "s5" }).go({ consistent: true })).data).toBeNull();
  expect((await transact("paused")).canceled).toBe(false);
  expect((await site.get({ siteId: "s5" }).go({ consistent: true })).data).toMatchObject({ nodeId: "n2" });
}
