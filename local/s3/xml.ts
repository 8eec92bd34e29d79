// The XML of the S3 and STS protocols, both ways: writing is a few lines, reading is a parser's job.
import { XMLParser } from "fast-xml-parser";
import { S3Error } from "./s3-error.ts";

/** An element's content: text, child elements by name, or the same child several times. */
export type XmlContent = string | number | boolean | XmlElements;
export interface XmlElements {
  readonly [name: string]: XmlContent | readonly XmlContent[] | undefined;
}

export function writeXml(root: string, children: XmlElements, namespace?: string): string {
  const attribute = namespace === undefined ? "" : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${writeChildren(children)}</${root}>`;
}

function writeChildren(children: XmlElements): string {
  return Object.entries(children)
    .flatMap(([name, content]) => {
      if (content === undefined) return [];
      const list: readonly XmlContent[] = Array.isArray(content) ? content : [content as XmlContent];
      return list.map((item) => `<${name}>${writeContent(item)}</${name}>`);
    })
    .join("");
}

function writeContent(content: XmlContent): string {
  return typeof content === "object" ? writeChildren(content) : escapeText(String(content));
}

function escapeText(text: string): string {
  // Control characters are references, as S3 sends them: clients get the key back where their parser allows it.
  return text.replace(/[&<>"\p{Cc}]/gu, (character) => {
    const named = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[character];
    return named ?? `&#${character.charCodeAt(0)};`;
  });
}

/** The children of the root element `root`; the elements named in `lists` are always arrays. Throws MalformedXML. */
export function readXml(text: string, root: string, lists: readonly string[]): Record<string, unknown> {
  const parser = new XMLParser({
    parseTagValue: false,
    trimValues: false,
    removeNSPrefix: true,
    htmlEntities: true,
    isArray: (name) => lists.includes(name),
  });
  // Entities of one's own are how XML bombs are built, and no client of S3 needs them.
  if (text.includes("<!DOCTYPE")) throw malformed();
  let document: unknown;
  try {
    document = parser.parse(text, true);
  } catch (error) {
    throw malformed(error);
  }
  const element = isRecord(document) ? document[root] : undefined;
  if (!isRecord(element)) throw malformed();
  return element;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function malformed(cause?: unknown): S3Error {
  return new S3Error(
    "MalformedXML",
    "The XML you provided was not well-formed or not what was expected.",
    {},
    cause,
  );
}
