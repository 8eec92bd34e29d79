// serverless.yml and the table of operations agree, and the host matches paths as API Gateway does.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { matchRoute, type Route, readRoutes } from "#local/api-host/routes.ts";
import { readServerlessFile } from "#local/serverless-file.ts";
import { API_BASE, OPERATIONS, type Operation } from "#shared/operations.ts";

const routes = readRoutes(await readServerlessFile());

describe("serverless.yml", () => {
  test("has exactly the routes of the operations, the literal POST /backups/ and the fallback", () => {
    const operations = Object.values(OPERATIONS) as Operation[];
    const expected = operations.map(({ method, path }) => `${method} ${API_BASE}${path}`);
    const keys = routes.map(({ key }) => key);
    expect(keys.toSorted()).toEqual([...expected, `POST ${API_BASE}/backups/`, "$default"].sort());
  });

  test("asks the authorizer exactly where an operation is not public", () => {
    for (const { method, path, access } of Object.values(OPERATIONS) as Operation[]) {
      const route = routes.find(({ key }) => key === `${method} ${API_BASE}${path}`);
      expect([path, route?.authorizer]).toEqual([path, access === "public" ? undefined : "authorizer"]);
    }
    expect(routes.find(({ key }) => key === `POST ${API_BASE}/backups/`)?.authorizer).toBe("authorizer");
  });

  test("sends each route to the function that serves the operation", async () => {
    for (const [id, { method, path }] of Object.entries(OPERATIONS) as [string, Operation][]) {
      const name = routes.find(({ key }) => key === `${method} ${API_BASE}${path}`)?.functionName ?? "";
      const { handler } = (await readServerlessFile()).functions[name] ?? { handler: "" };
      const source = await readFile(
        `${import.meta.dirname}/../../../${handler.replace(/\.handler$/, ".ts")}`,
        "utf8",
      );
      expect(source).toMatch(new RegExp(`async ${id}\\(`));
    }
  });
});

describe("matching", () => {
  const keyOf = (method: string, path: string): string | undefined =>
    matchRoute(routes, method, `${API_BASE}${path}`)?.route.key;

  test("a literal segment wins over a variable", () => {
    expect(keyOf("GET", "/nodes/config")).toBe("GET /api/v1/nodes/config");
    expect(keyOf("GET", "/nodes/other")).toBe("GET /api/v1/nodes/{id}");
  });

  test("a whole path has to match", () => {
    for (const path of ["/sites/", "/sites//", "/sites/a/b", "/site", ""])
      expect(keyOf("GET", path)).toBe("$default");
    expect(keyOf("DELETE", "/sites")).toBe("$default");
    expect(keyOf("POST", "/backups/")).toBe("POST /api/v1/backups/");
  });

  test("variables are decoded once", () => {
    const match = matchRoute(routes, "GET", `${API_BASE}/sites/a%2Fb%2525`);
    expect(match?.pathParameters).toEqual({ id: "a/b%25" });
  });

  test("without a fallback nothing is found", () => {
    expect(matchRoute([] satisfies Route[], "GET", "/x")).toBeUndefined();
  });
});
