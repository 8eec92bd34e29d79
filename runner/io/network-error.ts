// Why no answer came, in words: an error code helps nobody at three in the morning.
import { BackupError } from "#shared/errors.ts";
import { skewHint } from "./problem.ts";

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused (nothing listens there)",
  ENOTFOUND: "the host name is unknown (DNS)",
  EAI_AGAIN: "DNS does not answer",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "there is no route to the network",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "the connection timed out",
};

const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** The deepest one: Node wraps one per address tried. */
function rootOf(error: unknown): Error {
  let root = error instanceof Error ? error : new Error(String(error));
  for (let depth = 0; depth < 8; depth += 1) {
    const below: unknown = root instanceof AggregateError ? (root.errors[0] ?? root.cause) : root.cause;
    if (!(below instanceof Error)) break;
    root = below;
  }
  return root;
}

export interface NetworkErrorPlace {
  readonly host: string;
  readonly timeoutMs: number;
  readonly skewMs?: number | undefined;
}

/** What `callHttp` threw as `master_unreachable`. */
export function networkError(error: unknown, place: NetworkErrorPlace): BackupError {
  const { host, timeoutMs, skewMs } = place;
  if (error instanceof Error && error.name === "TimeoutError") {
    const detail = `${host}: no answer within ${Math.round(timeoutMs / 1000)} s`;
    return new BackupError("master_unreachable", { detail, cause: error });
  }
  const root = rootOf(error);
  const { code = "no code" } = root as NodeJS.ErrnoException;
  if (CERTIFICATE_CODES.has(code)) {
    const hint =
      skewHint(skewMs) ??
      "Check the certificate, this node's clock, and for a private CA set NODE_EXTRA_CA_CERTS to its file.";
    const detail = `${host}: its TLS certificate is not trusted (${code})`;
    return new BackupError("master_unreachable", { detail, hint, cause: root });
  }
  if (code.startsWith("ERR_SSL") || code === "EPROTO") {
    const hint = "Check scheme and port of the Master's URL.";
    return new BackupError("master_unreachable", {
      detail: `${host} speaks no TLS (${code})`,
      hint,
      cause: root,
    });
  }
  const words = WORDS[code] ?? root.message;
  return new BackupError("master_unreachable", { detail: `${host}: ${words} (${code})`, cause: root });
}
