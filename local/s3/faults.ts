// The hook by which tests make S3 fail at a chosen operation, at the protocol and at the socket.
import type { OperationName } from "./target.ts";

export interface FaultRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly operation: OperationName;
  readonly partNumber?: number;
  /** As in the header: `bytes=0-99`. */
  readonly range?: string;
}

/**
 * `reset` drops the connection before the operation acts; `reset-after` lets it act and loses the answer. A hook
 * that returns a promise delays the operation until it settles.
 */
export type S3Fault = { readonly status: number; readonly code: string } | "reset" | "reset-after";

export type S3FaultHook = (request: FaultRequest) => S3Fault | undefined | Promise<S3Fault | undefined>;
