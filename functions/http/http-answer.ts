// The shape of every answer to API Gateway (payload format 2.0).

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export function jsonAnswer(status: number, value: unknown): HttpAnswer {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return { statusCode: status, headers, body: JSON.stringify(value) };
}
