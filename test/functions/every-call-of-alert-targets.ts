// The calls to AWS of whoever sets up where alerts go; part of make-every-call.ts.
import type { Master } from "#test/helpers/master.ts";

export async function everyCallOfAlertTargets({ admin }: Master): Promise<void> {
  const email = { kind: "email" as const, from: "a@example.com", to: ["b@example.com"] };
  const { id } = await admin.call("createAlertTarget", { body: email });
  await admin.call("listAlertTargets");
  for (const target of ["topic", id]) await admin.call("testAlertTarget", { id: target });
  await admin.call("deleteAlertTarget", { id });
  await admin.request("DELETE", `/alerts/targets/${id}`);
}
