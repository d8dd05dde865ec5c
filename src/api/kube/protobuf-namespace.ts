import { BinaryReader } from "@bufbuild/protobuf/wire";
import { ParasausError } from "../../foundation/index.ts";

/** The media type that kubectl's own verbs for built-in kinds write: `kubectl create namespace`. */
export const KUBERNETES_PROTOBUF = "application/vnd.kubernetes.protobuf";

// "k8s" and a zero byte stand before the envelope, message runtime.Unknown.
const MAGIC = Buffer.from("k8s\0");

type Field = readonly [number: number, content: Uint8Array];

/**
 * Reads a Namespace in Kubernetes' protobuf: name, labels and annotations, all that `kubectl create namespace` writes.
 * The numbers are those of `generated.proto` in k8s.io/api/core/v1 and k8s.io/apimachinery.
 *
 * @throws ParasausError `BadRequest` for anything more than that, and for what is no Namespace
 */
export function readProtobufNamespace(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    if (!body.subarray(0, MAGIC.length).equals(MAGIC))
      throw unreadable("it does not begin as Kubernetes' protobuf does");
    const envelope = fieldsOf(body.subarray(MAGIC.length));
    const type = fieldsOf(contentOf(envelope, 1));
    const object = fieldsOf(contentOf(envelope, 2));
    // The status, field 3, is the server's own; an empty spec, field 2, is left out or written without content.
    if (fieldsOf(contentOf(object, 2)).some(([, content]) => content.length > 0))
      throw unreadable("it has a spec");
    return {
      apiVersion: textOf(type, 1),
      kind: textOf(type, 2),
      metadata: readMetadata(fieldsOf(contentOf(object, 1))),
    };
  } catch (cause) {
    if (cause instanceof ParasausError) throw cause;
    throw unreadable("it is damaged", cause);
  }
}

const NAME = 1;
const LABELS = 11;
const ANNOTATIONS = 12;

function readMetadata(fields: readonly Field[]): Readonly<Record<string, unknown>> {
  const foreign = fields.find(
    ([number, content]) => content.length > 0 && ![NAME, LABELS, ANNOTATIONS].includes(number),
  );
  if (foreign)
    throw unreadable(`its metadata holds more than name, labels and annotations (field ${foreign[0]})`);
  return {
    name: textOf(fields, NAME),
    ...dictionary("labels", fields, LABELS),
    ...dictionary("annotations", fields, ANNOTATIONS),
  };
}

function dictionary(name: string, fields: readonly Field[], number: number): object {
  const entries = fields
    .filter(([at]) => at === number)
    .map(([, entry]) => [textOf(fieldsOf(entry), 1), textOf(fieldsOf(entry), 2)]);
  return entries.length === 0 ? {} : { [name]: Object.fromEntries(entries) };
}

/** The fields of a message; numbers are left out, since no field that is read here is one. */
function fieldsOf(bytes: Uint8Array): Field[] {
  const reader = new BinaryReader(bytes);
  const fields: Field[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === 2) fields.push([number, reader.bytes()]);
    else reader.skip(wireType);
  }
  return fields;
}

function contentOf(fields: readonly Field[], number: number): Uint8Array {
  return fields.find(([at]) => at === number)?.[1] ?? new Uint8Array();
}

function textOf(fields: readonly Field[], number: number): string {
  return Buffer.from(contentOf(fields, number)).toString("utf8");
}

function unreadable(reason: string, cause?: unknown): ParasausError {
  return new ParasausError("BadRequest", `Cannot read the Namespace: ${reason}; send it as JSON`, { cause });
}
