// An HTTPS server on loopback that keeps what it gets, and whose certificate this process trusts while it runs: the places
// that alerts go to are https only. The key is public and for this alone; it ends in 2126.
import type { Server } from "node:https";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

export interface HttpsReceiver extends AsyncDisposable {
  readonly url: string;
  readonly received: { readonly method: string; readonly path: string; readonly body: string }[];
  /** Of the next answers. */
  status: number;
}

export async function startHttpsReceiver(): Promise<HttpsReceiver> {
  const trusted = getCACertificates("default");
  setDefaultCACertificates([...trusted, CERTIFICATE]);
  const server: Server = createServer({ key: KEY, cert: CERTIFICATE }, (incoming, outgoing) => {
    const { method = "", url: path = "" } = incoming;
    text(incoming).then(
      (body) => {
        receiver.received.push({ method, path, body });
        outgoing.writeHead(receiver.status).end();
      },
      () => outgoing.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver: HttpsReceiver = {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    status: 200,
    async [Symbol.asyncDispose]() {
      setDefaultCACertificates(trusted);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return receiver;
}

const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmE0ZOESfRB/UMpea
ISji/ukqcI9jmF79aMhuxnSFe/ChRANCAATZWQdhCf/aa0sniwRMSRQO44mv3ioI
SfJ1fig7MrsDUyJzcjvbO7B3mrwMepKanO1kF68SpyJAz5w/NfSaErma
-----END PRIVATE KEY-----`;
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBjzCCATagAwIBAgIUKq8OQphQ2Y50Snl+QcsEcA9qzkgwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyODEyMjAzN1oYDzIxMjYxMTA0
MTIyMDM3WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATZWQdhCf/aa0sniwRMSRQO44mv3ioISfJ1fig7MrsDUyJzcjvbO7B3
mrwMepKanO1kF68SpyJAz5w/NfSaErmao2QwYjAdBgNVHQ4EFgQU8XkqjBAjrpwj
CcCNfVpqax3wWVswHwYDVR0jBBgwFoAU8XkqjBAjrpwjCcCNfVpqax3wWVswDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0cAMEQC
HxDChXgEJ+lTY4Lj4OghVDXg2IGqKe7YVjVhSXhoX9MCIQDO5BKlXybeYJ7n+s0Z
6dHfIczlUI8PQq9mZNPQA/f0hw==
-----END CERTIFICATE-----`;
