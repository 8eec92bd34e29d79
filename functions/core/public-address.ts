// Which storage addresses the Master calls: an admin types them, and what the Master can reach, such as the metadata of a
// cloud machine or a private network, is not for whoever types to read.
import { BackupError } from "#shared/errors.ts";

/** IPv4 networks that are not public: RFC 6890 and its kin. */
const V4_PRIVATE: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** Whether the address, as a resolver or a URL writes it, belongs to the public internet. */
export function isPublicAddress(address: string): boolean {
  const text = address.replace(/^\[|\]$/g, "").replace(/%.*$/, "");
  if (!text.includes(":")) return isPublicV4(bitsOfV4(text));
  const groups = groupsOfV6(text);
  if (groups === undefined) return false;
  // Only 2000::/3 is given out; 6to4, Teredo, documentation and local networks within it lead elsewhere.
  const [first = 0, second = 0] = groups;
  if (first >> 13 !== 1) return false;
  return first !== 0x2002 && !(first === 0x2001 && (second < 0x200 || second === 0xdb8));
}

function isPublicV4(bits: number | undefined): boolean {
  if (bits === undefined) return false;
  return !V4_PRIVATE.some(([network, length]) => {
    const shift = 2 ** (32 - length);
    return Math.floor(bits / shift) === Math.floor((bitsOfV4(network) ?? 0) / shift);
  });
}

function bitsOfV4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return parts.reduce((bits, part) => bits * 256 + Number(part), 0);
}

function groupsOfV6(text: string): number[] | undefined {
  // An IPv4 address inside one of IPv6 is nothing that a storage has.
  if (text.includes(".")) return undefined;
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const read = (part: string): number[] =>
    part === ""
      ? []
      : part.split(":").map((group) => (/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : -1));
  const [before, after] = [read(head), read(tail ?? "")];
  const missing = 8 - before.length - after.length;
  const groups =
    tail === undefined ? before : [...before, ...Array<number>(Math.max(0, missing)).fill(0), ...after];
  return groups.length === 8 && !groups.includes(-1) ? groups : undefined;
}

/** @throws BackupError `invalid_request`. */
export function checkEndpoint(endpoint: string, isPrivateAllowed: boolean, field = "endpoint"): URL {
  const url = new URL(endpoint);
  if (isPrivateAllowed) return url;
  if (url.protocol !== "https:") throw endpointFault("must be https", field);
  const isAddress = /^[\d.]+$|^\[/.test(url.hostname);
  if (isAddress && !isPublicAddress(url.hostname)) throw endpointFault(PRIVATE, field);
  return url;
}

const PRIVATE = "is not an address of the public internet";

/** Of a name: what it resolves to. @throws BackupError `invalid_request`. */
export function checkAddresses(addresses: readonly string[], isPrivateAllowed: boolean): void {
  if (!isPrivateAllowed && !addresses.every(isPublicAddress)) throw endpointFault(PRIVATE);
}

export function endpointFault(message: string, field = "endpoint"): BackupError {
  return new BackupError("invalid_request", {
    detail: `${field}: ${message}.`,
    data: { issues: [{ path: field, message }] },
  });
}
