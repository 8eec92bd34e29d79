// Alerts by e-mail through SES.
import { SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import { awsClient } from "./aws-client.ts";
import type { AlertTarget } from "./notifier.ts";

export interface EmailSettings {
  /** An address, or of a domain, that SES knows to be ours. */
  readonly from: string;
  readonly to: readonly string[];
}

export function emailTarget({ from, to }: EmailSettings): AlertTarget {
  const client = awsClient(new SESv2Client({}));
  return {
    name: `e-mail to ${to.join(", ")}`,
    async send({ title, lines }) {
      await client.send(
        new SendEmailCommand({
          FromEmailAddress: from,
          Destination: { ToAddresses: [...to] },
          Content: {
            Simple: { Subject: { Data: title }, Body: { Text: { Data: [title, "", ...lines].join("\n") } } },
          },
        }),
      );
    },
  };
}
