// What every answer of the dashboard's host carries. CloudFront's response headers policy has to say the same.

/** Nothing inline, nothing from elsewhere, nothing that frames it. */
const policy = (connect: readonly string[]): string[] => [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  ["connect-src 'self'", ...connect].join(" "),
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
];

/** `issuer`: origins of where people sign in, which the page talks to besides its own. */
export function securityHeaders(issuer: readonly string[] = []): Readonly<Record<string, string>> {
  return {
    "content-security-policy": policy(issuer).join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
}
