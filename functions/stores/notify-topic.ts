// Alerts to an SNS topic.
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { awsClient } from "./aws-client.ts";
import type { AlertTarget } from "./notifier.ts";

/** SNS refuses longer subjects. */
const MAX_SUBJECT = 100;

export function topicTarget(topicArn: string): AlertTarget {
  const client = awsClient(new SNSClient({}));
  return {
    name: "the topic",
    async send({ title, lines }) {
      await client.send(
        new PublishCommand({
          TopicArn: topicArn,
          Subject: title.slice(0, MAX_SUBJECT),
          Message: [title, ...lines].join("\n"),
        }),
      );
    },
  };
}
