import { isObject, type JsonObject } from "./json-value.ts";
import { mergeThreeWays } from "./three-way.ts";

/** kubectl's own annotation, so that both may be used on one object. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** One object as a file describes it. */
export interface AppliedFile {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/**
 * What applying a file makes of an object: with a note of what was applied, and joined three ways with what is stored.
 *
 * @param namespace Where it goes; absent for what belongs to the whole cluster.
 * @param live The object as it is stored; absent: it is not there.
 * @returns what to create, or to replace `live` with
 */
export function appliedObject(
  file: AppliedFile,
  namespace: string | undefined,
  live: object | undefined,
): unknown {
  const wanted = withLastApplied(file, namespace);
  if (!live) return wanted;
  const { annotations } = (live as Partial<AppliedFile>).metadata ?? {};
  const last = annotations?.[LAST_APPLIED];
  return mergeThreeWays(last === undefined ? {} : parseObject(last), { ...wanted }, { ...live });
}

function withLastApplied(file: AppliedFile, namespace: string | undefined): AppliedFile {
  const annotations = file.metadata.annotations ?? {};
  const metadata = { ...file.metadata, ...(namespace === undefined ? {} : { namespace }) };
  const applied = JSON.stringify({ ...file, metadata: { annotations: {}, ...metadata } });
  return {
    ...file,
    metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: `${applied}\n` } },
  };
}

function parseObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
