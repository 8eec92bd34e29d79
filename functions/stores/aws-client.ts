// Every SDK client of the Master is made through here, so that one place sees each call before it is sent: the local
// stack refuses there what the function's role on AWS would refuse.
import { traceClient } from "../telemetry/tracing.ts";

export interface AwsCall {
  /** As the SDK names it: `SendMessageCommand`, of `SQSClient`. */
  readonly client: string;
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
}

/** Throws to keep the call from being sent. */
export type CallWatcher = (call: AwsCall) => void;

type Next = (args: { input: object }) => Promise<unknown>;
interface Watchable {
  readonly middlewareStack: {
    add(
      middleware: (next: Next, context: { clientName?: string; commandName?: string }) => Next,
      options: { step: "initialize"; name: string; override: true },
    ): void;
  };
}

/** Of a client whose calls are made with other rights than the function's role, which says nothing about them. */
export function withOwnRights<C>(client: C): C {
  return client;
}

let watcher: CallWatcher | undefined;

/** For the local stack and tests; nobody watches on AWS, where IAM decides. */
export function watchCalls(watch: CallWatcher | undefined): void {
  watcher = watch;
}

export function awsClient<C>(client: C): C {
  (client as Watchable).middlewareStack.add(
    (next, { clientName = "", commandName = "" }) =>
      async (args) => {
        watcher?.({ client: clientName, command: commandName, input: args.input as AwsCall["input"] });
        return next(args);
      },
    { step: "initialize", name: "watchCalls", override: true },
  );
  return traceClient(client);
}
