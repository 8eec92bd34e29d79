// A Master for the runner's tests: real HTTP and real signatures, scripted answers. It checks every body against
// the contract, so a runner that passes here speaks the wire's language; the real Master has its own tests.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { armor, Encrypter } from "age-encryption";
import { importJWK, jwtVerify } from "jose";
import { v4 } from "uuid";
import type { BackupReport } from "#shared/contracts/backups.ts";
import type { EnrollNode } from "#shared/contracts/identity.ts";
import type { ClaimJob, Job, PatchJob } from "#shared/contracts/jobs.ts";
import type { NodeConfig, NodeCredentials } from "#shared/contracts/nodes.ts";
import type { NodeSite } from "#shared/contracts/sites.ts";
import { ERROR_KINDS, type ErrorCode } from "#shared/error-kinds.ts";
import { API_BASE, OPERATIONS, type Operation, type OperationId } from "#shared/operations.ts";

export interface FakeCall {
  readonly operation: OperationId;
  readonly id: string;
  readonly body: unknown;
  readonly headers: IncomingMessage["headers"];
}

export interface FakeAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** "hang up" cuts the connection; "hang" never answers; undefined leaves it to the default behaviour. */
export type Scripted = FakeAnswer | "hang up" | "hang" | undefined;
export type Script = (call: FakeCall) => Scripted | Promise<Scripted>;

export interface FakeJob {
  job: Job;
  fencing: number;
  runnerId: string;
}

export interface FakeMaster extends AsyncDisposable {
  readonly url: string;
  readonly calls: FakeCall[];
  readonly jobs: Map<string, FakeJob>;
  readonly reports: BackupReport[];
  readonly nodeId: string;
  readonly sites: NodeSite[];
  credentials: NodeCredentials;
  limits: NodeConfig["limits"];
  leaseSeconds: number;
  revision: string;
  enrollmentToken: string;
  queue: NodeConfig["queue"];
  /** The time in the Date header and in bodies. */
  now: () => Date;
  /** Takes over one operation until replaced; undefined gives it back. */
  script(operation: OperationId, script: Script | undefined): void;
  /** Resolves at the next call (of the operation) that fits. */
  nextCall(operation: OperationId, fits?: (call: FakeCall) => boolean): Promise<FakeCall>;
  /** Stops listening and cuts every connection; `comeBack` listens on the same port again. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
}

export function problem(code: ErrorCode, more: Record<string, unknown> = {}): FakeAnswer {
  const { status, title, hint, retry } = ERROR_KINDS[code];
  const body = { type: `urn:backupd:${code}`, title, status, code, hint, retry, ...more };
  return { status, body, headers: { "content-type": "application/problem+json" } };
}

interface Row {
  readonly operation: OperationId;
  readonly spec: Operation;
  readonly pattern: RegExp;
}

const ROWS: readonly Row[] = (Object.keys(OPERATIONS) as OperationId[]).map((operation) => {
  const spec: Operation = OPERATIONS[operation];
  const path = spec.path.replace(/\{id\}/g, "([^/]+)");
  return { operation, spec, pattern: new RegExp(`^${API_BASE}${path}/?$`) };
});

export async function startFakeMaster(): Promise<FakeMaster> {
  const scripts = new Map<OperationId, Script>();
  const waiting: {
    operation: OperationId;
    fits: (call: FakeCall) => boolean;
    resolve: (call: FakeCall) => void;
  }[] = [];
  let node: EnrollNode | undefined;

  const seal = async (recipient: string): Promise<string> => {
    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    return armor.encode(await encrypter.encrypt(JSON.stringify(master.credentials)));
  };

  const makeJob = (id: string, siteId: string, trigger: Job["trigger"]): FakeJob => {
    const at = master.now().toISOString();
    const site_name = master.sites.find((site) => site.id === siteId)?.name ?? "unknown.example";
    const job: Job = {
      id,
      type: "backup",
      site_id: siteId,
      site_name,
      node_id: master.nodeId,
      trigger,
      correlation_id: null,
      full: false,
      state: "queued",
      created_at: at,
      scheduled_at: null,
      deadline_at: at,
      started_at: null,
      ended_at: null,
      attempt: 0,
      max_attempts: 3,
      progress: null,
      cancel_requested: false,
      backup_id: null,
      source_backup_id: null,
      request: null,
      result: null,
      findings: [],
      warnings: [],
      reason: null,
      error: null,
    };
    const fake = { job, fencing: 0, runnerId: "" };
    master.jobs.set(id, fake);
    return fake;
  };

  const leaseEnd = (): string => new Date(master.now().getTime() + master.leaseSeconds * 1000).toISOString();
  const hasEnded = ({ job }: FakeJob): boolean => job.state !== "queued" && job.state !== "running";

  const defaults: Partial<Record<OperationId, Script>> = {
    getHealth: () => ({
      status: 200,
      body: { status: "ok", version: "1", time: master.now().toISOString() },
    }),
    enrollNode: ({ body }) => {
      const request = body as EnrollNode;
      if (request.token !== master.enrollmentToken) return problem("enrollment_token_invalid");
      node = request;
      return { status: 201, body: { node_id: master.nodeId, audience: "backupd-test" } };
    },
    getNodeConfig: async () => ({
      status: 200,
      body: {
        node_id: master.nodeId,
        revision: master.revision,
        server_time: master.now().toISOString(),
        queue: master.queue,
        storage: { bucket: "backups", region: "us-east-1", prefix: `${master.nodeId}/` },
        storages: [],
        credentials: await seal(node?.age_recipient ?? ""),
        limits: master.limits,
        sites: master.sites,
      } satisfies NodeConfig,
    }),
    heartbeatNode: () => ({
      status: 200,
      body: { server_time: master.now().toISOString(), config_revision: master.revision },
    }),
    claimJob: ({ id, body }) => {
      const request = body as ClaimJob;
      if (!master.sites.some((site) => site.id === request.site_id)) return problem("not_your_site");
      const fake = master.jobs.get(id) ?? makeJob(id, request.site_id, request.trigger);
      if (hasEnded(fake)) return problem("job_ended");
      if (fake.job.state === "running" && fake.runnerId !== request.runner_id) return problem("lease_held");
      fake.fencing += 1;
      fake.runnerId = request.runner_id;
      fake.job = { ...fake.job, state: "running", attempt: fake.job.attempt + 1 };
      const s3_path = `/${master.nodeId}/${request.site_id}/${fake.job.site_name}_20260101_000000.tar.zst`;
      return {
        status: 200,
        body: {
          job: fake.job,
          fencing: fake.fencing,
          lease_seconds: master.leaseSeconds,
          lease_expires_at: leaseEnd(),
          s3_path,
        },
      };
    },
    patchJob: ({ id, body }) => {
      const request = body as PatchJob;
      const fake = master.jobs.get(id);
      if (fake === undefined) return problem("not_found");
      if (hasEnded(fake)) return problem("job_ended");
      if (fake.fencing !== request.fencing) return problem("lease_lost");
      if (request.release !== undefined) {
        fake.job = { ...fake.job, state: "queued", error: request.release };
        fake.runnerId = "";
      } else {
        fake.job = { ...fake.job, progress: request.progress ?? null };
      }
      const { state, cancel_requested } = fake.job;
      return { status: 200, body: { state, cancel_requested, lease_expires_at: leaseEnd() } };
    },
    reportBackup: ({ body }) => {
      const report = body as BackupReport;
      const fake = master.jobs.get(report.job_id);
      if (fake === undefined) return problem("not_found");
      if (fake.fencing !== report.fencing) return problem("lease_lost");
      master.reports.push(report);
      const state = report.status === "success" ? "succeeded" : report.status;
      fake.job = { ...fake.job, state };
      return { status: 200, body: { job_id: report.job_id, state, backup_id: null } };
    },
  };

  async function authenticate(request: IncomingMessage, spec: Operation): Promise<FakeAnswer | undefined> {
    if (spec.access === "public") return undefined;
    if (node === undefined) return problem("unauthenticated");
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    const key = await importJWK({ kty: "OKP", crv: "Ed25519", x: node.signing_key }, "EdDSA");
    try {
      const { payload } = await jwtVerify(token, key, {
        audience: "backupd-test",
        issuer: master.nodeId,
        subject: master.nodeId,
        currentDate: master.now(),
        clockTolerance: 30,
        maxTokenAge: 60,
        requiredClaims: ["jti"],
      });
      return payload.jti === undefined ? problem("token_invalid") : undefined;
    } catch {
      return problem("token_expired");
    }
  }

  async function answer(request: IncomingMessage): Promise<Scripted> {
    const path = new URL(request.url ?? "/", "http://127.0.0.1").pathname;
    const row = ROWS.find(({ spec, pattern }) => spec.method === request.method && pattern.test(path));
    if (row === undefined) return problem("not_found", { detail: `${request.method} ${path}` });
    const { operation, spec, pattern } = row;
    const raw = spec.body === undefined ? undefined : await json(request);
    const id = decodeURIComponent(pattern.exec(path)?.[1] ?? "");
    const refused = await authenticate(request, spec);
    if (refused !== undefined) return refused;
    const parsed = spec.body?.safeParse(raw);
    if (parsed?.success === false) return problem("invalid_request", { detail: parsed.error.message });
    const call: FakeCall = { operation, id, body: parsed?.data, headers: request.headers };
    master.calls.push(call);
    const scripted = await (scripts.get(operation)?.(call) ?? undefined);
    const result = scripted ?? (await defaults[operation]?.(call)) ?? problem("method_not_allowed");
    for (const wait of waiting.filter((one) => one.operation === operation && one.fits(call))) {
      waiting.splice(waiting.indexOf(wait), 1);
      wait.resolve(call);
    }
    return result;
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const result = (await answer(request)) ?? problem("internal");
    if (result === "hang") return;
    if (result === "hang up") {
      response.destroy();
      return;
    }
    const headers = {
      date: master.now().toUTCString(),
      "content-type": "application/json",
      ...result.headers,
    };
    response.writeHead(result.status, headers);
    response.end(result.body === undefined ? "" : JSON.stringify(result.body));
  }

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve());
    });
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    server.closeAllConnections();
    await closed;
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;

  const master: FakeMaster = {
    url: `http://127.0.0.1:${port}`,
    calls: [],
    jobs: new Map(),
    reports: [],
    nodeId: v4(),
    sites: [{ id: v4(), name: "shop.example.com", path: "/var/www/shop", state: "active", exclude: [] }],
    credentials: {
      access_key_id: "AKIDTEST",
      secret_access_key: "PLANTED-SECRET-KEY",
      session_token: "PLANTED-SESSION",
    },
    limits: { heartbeat_seconds: 60, progress_seconds: 10, upload_bytes_per_second: null },
    leaseSeconds: 120,
    revision: "1",
    enrollmentToken: "PLANTED-enrollment-token-0123456789",
    queue: { url: "http://127.0.0.1:9/none", region: "us-east-1" },
    now: () => new Date(),
    script(operation, script) {
      if (script === undefined) scripts.delete(operation);
      else scripts.set(operation, script);
    },
    nextCall: (operation, fits = () => true) =>
      new Promise((resolve) => {
        waiting.push({ operation, fits, resolve });
      }),
    goAway: close,
    comeBack: () => listen(port),
    async [Symbol.asyncDispose]() {
      if (server.listening) await close();
    },
  };
  return master;
}
