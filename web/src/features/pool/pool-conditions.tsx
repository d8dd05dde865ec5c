import { Alert } from "@mantine/core";
import { isBadNews } from "../../../../src/model/condition.ts";
import type { Condition } from "../../../../src/model/object.ts";

/** What controllers and nodes have against a pool; nothing where all is well. */
export function PoolConditions({ conditions }: { readonly conditions: readonly Condition[] }) {
  return conditions.filter(isBadNews).map(({ type, reason, message }) => (
    <Alert key={type} color="orange" title={`${type}: ${reason}`}>
      {message}
    </Alert>
  ));
}
