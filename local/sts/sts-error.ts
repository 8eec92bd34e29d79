// The errors of the STS protocol, with the statuses AWS gives them.
const STATUS = {
  AccessDenied: 403,
  InvalidAction: 400,
  MalformedPolicyDocument: 400,
  ValidationError: 400,
} as const;

export class StsError extends Error {
  readonly code: keyof typeof STATUS;
  readonly status: number;

  constructor(code: keyof typeof STATUS, message: string) {
    super(message);
    this.name = "StsError";
    this.code = code;
    this.status = STATUS[code];
  }
}
