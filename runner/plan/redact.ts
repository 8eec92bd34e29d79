// The last net under everything that is logged: strings that look like secrets are blotted out, wherever they
// came from. The first line of defence is that secrets are never put into log fields at all.

const RULES: readonly (readonly [RegExp, string])[] = [
  [/AGE-SECRET-KEY-1[0-9A-Z]+/gi, "[redacted]"],
  [/\bBearer\s+[\w.~+/=-]+/gi, "Bearer [redacted]"],
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g, "[redacted]"],
  [/\b(X-Amz-(?:Signature|Security-Token|Credential))=[^&\s"'\\]+/gi, "$1=[redacted]"],
  [
    /("?\b(?:\w*(?:password|passwd|secret|private_?key|session_?token|secret_?access_?key)|token|authorization)"?\s*[:=]\s*\\?"?)(?!\[redacted])[^\s"'&,}\\]+/gi,
    "$1[redacted]",
  ],
];

export function redactText(text: string): string {
  let clean = text;
  for (const [pattern, replacement] of RULES) clean = clean.replace(pattern, replacement);
  return clean;
}
