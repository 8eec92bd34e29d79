// The Master's client again, with what the work goes by on every call: same interface in, same interface out.
import type { MasterClient } from "./master-client.ts";

export function correlated(master: MasterClient, correlationId: string): MasterClient {
  return {
    call: (operation, request) => master.call(operation, { correlationId, ...request }),
    clockSkewMs: () => master.clockSkewMs(),
  };
}
