import { isNode, LineCounter, parseAllDocuments } from "yaml";
import { ParasausError } from "../../foundation/index.ts";
import { type DecodedDocument, decodeYaml, unwrapList } from "../../model/index.ts";

/** One object of a file, and where it stands there. */
export interface Manifest {
  readonly object: ManifestObject;
  /** `web.yaml`, or `web.yaml document 2` where the file has several. */
  readonly where: string;
  /** `web.yaml:14` for a field path such as `spec.members[1].port`. */
  readonly locate: (field: string) => string | undefined;
}

/** What every object of a file must have at least. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** Characters of one file: 35,000 pools take 6 Mi. */
const FILE_LIMIT = 64 * 1024 * 1024;

type Path = readonly (string | number)[];

/**
 * Reads every object of a YAML or JSON file: documents, and the items of Lists.
 *
 * @throws ParasausError `BadRequest` that names the file, the line and what is wrong
 */
export function readManifests(file: string, content: string): readonly Manifest[] {
  const documents = decode(file, content);
  return documents.flatMap(({ value, line }, index) => {
    const where = documents.length > 1 ? `${file} document ${index + 1}` : file;
    const objects = unwrapList(value);
    const isList = objects[0] !== value;
    return objects.map((each, item) => ({
      object: requireObject(each, where),
      where,
      locate: (field) => {
        const found = lineOf(content, line, [...(isList ? ["items", item] : []), ...pathOf(field)]);
        return found === undefined ? undefined : `${file}:${found}`;
      },
    }));
  });
}

function decode(file: string, content: string): readonly DecodedDocument[] {
  try {
    return decodeYaml(content, { maxLength: FILE_LIMIT });
  } catch (cause) {
    if (!(cause instanceof ParasausError)) throw cause;
    throw new ParasausError(cause.code, cause.message.replace("Cannot read YAML", `Cannot read "${file}"`), {
      cause,
    });
  }
}

function requireObject(value: unknown, where: string): ManifestObject {
  const refuse = (reason: string) => new ParasausError("BadRequest", `Cannot read ${where}: ${reason}`);
  if (!isRecord(value)) throw refuse("expected an object");
  for (const field of ["apiVersion", "kind"]) {
    if (typeof value[field] !== "string") throw refuse(`"${field}" is missing or no text`);
  }
  const metadata = value["metadata"];
  if (!isRecord(metadata) || typeof metadata["name"] !== "string") {
    throw refuse('"metadata.name" is missing or no text');
  }
  return value as unknown as ManifestObject;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pathOf(field: string): Path {
  return [...field.matchAll(/\["([^"]+)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, name]) =>
    index === undefined ? (quoted ?? name ?? "") : Number(index),
  );
}

/** The line of the field, or of the nearest thing around it that the file has. Only mistakes are worth a second reading. */
function lineOf(content: string, documentLine: number, path: Path): number | undefined {
  const lines = new LineCounter();
  const documents = parseAllDocuments(content, { lineCounter: lines });
  const lineAt = (node: unknown) =>
    isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
  const document = [...documents].find(({ contents }) => lineAt(contents) === documentLine);
  for (let length = path.length; length > 0; length -= 1) {
    const line = lineAt(document?.getIn(path.slice(0, length), true));
    if (line !== undefined) return line;
  }
  return undefined;
}
