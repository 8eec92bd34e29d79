// Alerts to a webhook: the body is what Slack and those compatible with it take. With a secret it is signed, in the manner
// of Slack and Stripe: HMAC-SHA256 over the time and the body, so that a receiver can refuse what is forged or old.
import { createHmac } from "node:crypto";
import type { AlertTarget } from "./notifier.ts";

const TIMEOUT_MS = 10_000;
const ATTEMPTS = 3;

/** `x-backupd-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">` */
export function signature(secret: string, unixSeconds: number, body: string): string {
  const mac = createHmac("sha256", secret).update(`${unixSeconds}.${body}`).digest("hex");
  return `t=${unixSeconds},v1=${mac}`;
}

export function webhookTarget(url: string, secret: string | undefined): AlertTarget {
  return {
    // The path of a chat's webhook is its password.
    name: `the webhook at ${new URL(url).host}`,
    async send({ title, lines }) {
      const body = JSON.stringify({ text: [title, ...lines].join("\n") });
      for (let attempt = 1; ; attempt += 1) {
        const status = await post(url, body, secret);
        if (status < 300) return;
        const isTransient = status === 429 || status >= 500;
        if (!isTransient || attempt === ATTEMPTS) throw new Error(`It answered ${status}.`);
      }
    },
  };
}

async function post(url: string, body: string, secret: string | undefined): Promise<number> {
  const answer = await fetch(url, {
    method: "POST",
    body,
    // Another place than the one that was given is nobody's business.
    redirect: "error",
    headers: {
      "content-type": "application/json",
      ...(secret === undefined
        ? {}
        : { "x-backupd-signature": signature(secret, Math.floor(Date.now() / 1000), body) }),
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await answer.body?.cancel();
  return answer.status;
}
