// The errors of the EventBridge Scheduler API, in the shape its SDK clients tell apart: a type and a status.

const STATUS = {
  ValidationException: 400,
  SerializationException: 400,
  IncompleteSignatureException: 400,
  MissingAuthenticationTokenException: 403,
  ResourceNotFoundException: 404,
  UnknownOperationException: 404,
  ConflictException: 409,
  InternalServerException: 500,
} as const;

export type ApiErrorType = keyof typeof STATUS;

export class ApiError extends Error {
  readonly type: ApiErrorType;
  readonly status: number;

  constructor(type: ApiErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = type;
    this.type = type;
    this.status = STATUS[type];
  }
}
