import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Document } from "./documents.ts";

/**
 * OpenAPI 2 in protobuf, which kubectl up to 1.28 insists on: message `openapi.v2.Document` of gnostic. Only the fields
 * that our documents have are written; their numbers are those of `openapiv2/OpenAPIv2.proto` in google/gnostic.
 */
export function encodeOpenApi2(document: Document): Uint8Array {
  const writer = new BinaryWriter();
  text(writer, 1, document["swagger"]);
  message(writer, 2, (info) => {
    text(info, 1, part(document, "info")["title"]);
    text(info, 2, part(document, "info")["version"]);
  });
  message(writer, 8, (paths) => named(paths, 2, part(document, "paths"), writePathItem));
  message(writer, 9, (definitions) => named(definitions, 1, part(document, "definitions"), writeSchema));
  return writer.finish();
}

const METHOD_FIELDS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

function writePathItem(writer: BinaryWriter, item: Document): void {
  for (const [method, field] of Object.entries(METHOD_FIELDS)) {
    if (item[method] === undefined) continue;
    message(writer, field, (operation) => writeOperation(operation, part(item, method)));
  }
}

function writeOperation(writer: BinaryWriter, operation: Document): void {
  text(writer, 3, operation["description"]);
  text(writer, 5, operation["operationId"]);
  texts(writer, 6, operation["produces"]);
  texts(writer, 7, operation["consumes"]);
  for (const parameter of operation["parameters"] as readonly Document[]) {
    // ParametersItem.parameter
    message(writer, 8, (item) => message(item, 1, (oneOf) => writeParameter(oneOf, parameter)));
  }
  message(writer, 9, (responses) => named(responses, 1, part(operation, "responses"), writeResponse));
  extensions(writer, 13, operation);
}

function writeParameter(writer: BinaryWriter, parameter: Document): void {
  if (parameter["in"] === "body") {
    message(writer, 1, (body) => {
      text(body, 2, parameter["name"]);
      text(body, 3, "body");
      message(body, 5, (schema) => writeSchema(schema, part(parameter, "schema")));
    });
    return;
  }
  const isPath = parameter["in"] === "path";
  // NonBodyParameter.path_parameter_sub_schema and .query_parameter_sub_schema; the latter has one field more.
  message(writer, 2, (nonBody) =>
    message(nonBody, isPath ? 4 : 3, (sub) => {
      flag(sub, 1, parameter["required"]);
      text(sub, 2, parameter["in"]);
      text(sub, 3, parameter["description"]);
      text(sub, 4, parameter["name"]);
      text(sub, isPath ? 5 : 6, parameter["type"]);
    }),
  );
}

/** ResponseValue.response, whose schema is a SchemaItem.schema. */
function writeResponse(writer: BinaryWriter, response: Document): void {
  message(writer, 1, (value) => {
    text(value, 1, response["description"]);
    message(value, 2, (item) => message(item, 1, (schema) => writeSchema(schema, part(response, "schema"))));
  });
}

const TEXT_WORDS: Readonly<Record<string, number>> = {
  $ref: 1,
  format: 2,
  title: 3,
  description: 4,
  pattern: 13,
};
const DOUBLE_WORDS: Readonly<Record<string, number>> = { maximum: 7, minimum: 9 };
const INTEGER_WORDS: Readonly<Record<string, number>> = {
  maxLength: 11,
  minLength: 12,
  maxItems: 14,
  minItems: 15,
};

function writeSchema(writer: BinaryWriter, schema: Document): void {
  for (const [word, field] of Object.entries(TEXT_WORDS)) text(writer, field, schema[word]);
  any(writer, 5, schema["default"]);
  for (const [word, field] of Object.entries(DOUBLE_WORDS)) {
    const value = schema[word];
    if (typeof value === "number") writer.tag(field, WireType.Bit64).double(value);
  }
  for (const [word, field] of Object.entries(INTEGER_WORDS)) {
    const value = schema[word];
    if (typeof value === "number") writer.tag(field, WireType.Varint).int64(value);
  }
  texts(writer, 19, schema["required"]);
  for (const value of (schema["enum"] ?? []) as readonly unknown[]) any(writer, 20, value);
  writeNested(writer, schema);
  extensions(writer, 31, schema);
}

function writeNested(writer: BinaryWriter, schema: Document): void {
  const { additionalProperties, type, items, properties } = schema as Readonly<
    Record<string, Document | undefined>
  >;
  if (typeof additionalProperties === "object") {
    message(writer, 21, (item) => message(item, 1, (value) => writeSchema(value, additionalProperties)));
  }
  if (type !== undefined) message(writer, 22, (item) => text(item, 1, type));
  if (items !== undefined) {
    message(writer, 23, (item) => message(item, 1, (value) => writeSchema(value, items)));
  }
  if (properties !== undefined) message(writer, 25, (map) => named(map, 1, properties, writeSchema));
}

/** NamedAny for every `x-` word. */
function extensions(writer: BinaryWriter, field: number, holder: Document): void {
  for (const [word, value] of Object.entries(holder)) {
    if (!word.startsWith("x-")) continue;
    message(writer, field, (entry) => {
      text(entry, 1, word);
      any(entry, 2, value);
    });
  }
}

/** A map: repeated messages of name (1) and value (2). */
function named(
  writer: BinaryWriter,
  field: number,
  map: Document,
  write: (writer: BinaryWriter, value: Document) => void,
): void {
  for (const name of Object.keys(map)) {
    message(writer, field, (entry) => {
      text(entry, 1, name);
      message(entry, 2, (value) => write(value, part(map, name)));
    });
  }
}

/** Message Any: the value as YAML, of which JSON is a part. */
function any(writer: BinaryWriter, field: number, value: unknown): void {
  if (value === undefined) return;
  message(writer, field, (yaml) => text(yaml, 2, `${JSON.stringify(value)}\n`));
}

function message(writer: BinaryWriter, field: number, write: (writer: BinaryWriter) => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: unknown): void {
  if (typeof value === "string") writer.tag(field, WireType.LengthDelimited).string(value);
}

function texts(writer: BinaryWriter, field: number, values: unknown): void {
  for (const value of (values ?? []) as readonly unknown[]) text(writer, field, value);
}

function flag(writer: BinaryWriter, field: number, value: unknown): void {
  if (value === true) writer.tag(field, WireType.Varint).bool(true);
}

function part(holder: Document, name: string): Document {
  return holder[name] as Document;
}
