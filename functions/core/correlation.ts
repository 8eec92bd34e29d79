// The id that a call goes by in every log: the caller's own if it brought one that is fit for logs, otherwise API
// Gateway's id of the request.
import { CorrelationId } from "#shared/contracts/common.ts";
import { CORRELATION_HEADER } from "#shared/headers.ts";

/** W3C Trace Context: version, trace id, parent id, flags; a trace id of zeros is none. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?$/;

/** What is no valid id is passed over: a stranger's header must not be able to forge log lines. */
export function correlationOf(
  headers: Readonly<Record<string, string | undefined>>,
  requestId: string,
): string {
  const given = CorrelationId.safeParse(headers[CORRELATION_HEADER]);
  if (given.success) return given.data;
  return TRACEPARENT.exec(headers["traceparent"] ?? "")?.[1] ?? requestId;
}
