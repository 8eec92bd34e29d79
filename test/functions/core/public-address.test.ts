// Where an admin may send the Master: to the public internet by TLS, and nowhere else.
import { describe, expect, test } from "vitest";
import { checkAddresses, checkEndpoint, isPublicAddress } from "#functions/core/public-address.ts";

describe("an address", () => {
  test.each([
    ...["127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    ...["169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"],
    ...["::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"],
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001::1", "[::1]"],
    ...["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0x7f.1", "1::2::3", "12345::", "::g"],
  ])("%s is not public", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each(["1.1.1.1", "52.95.110.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "[2a00:1450::1]"])(
    "%s is",
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe("an endpoint", () => {
  test.each([
    ["http://s3.example.com", /https/],
    ["https://127.0.0.1", /public/],
    ["https://[::1]:9000", /public/],
    // URLs have more than one way to write an address; the parser knows them.
    ["https://2130706433", /public/],
    ["https://0x7f000001", /public/],
    ["https://127.1", /public/],
  ])("%s is refused", (endpoint, why) => {
    expect(() => checkEndpoint(endpoint, false)).toThrow(why);
    expect(checkEndpoint(endpoint, true)).toBeInstanceOf(URL);
  });

  test("of a name is judged by everything that it resolves to", () => {
    expect(checkEndpoint("https://s3.example.com", false).hostname).toBe("s3.example.com");
    expect(() => checkAddresses(["1.1.1.1", "10.0.0.1"], false)).toThrow(/public/);
    expect(() => checkAddresses(["1.1.1.1", "2606:4700::1"], false)).not.toThrow();
  });
});
