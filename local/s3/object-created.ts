// What the local S3 tells of an object that was stored: the facts of EventBridge's "Object Created".

export interface ObjectCreated {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  /** The operation that stored it. */
  readonly reason: string;
  readonly at: Date;
}
