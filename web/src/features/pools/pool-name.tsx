import type { PoolRow } from "../../../../src/model/console/pool-views.ts";
import { TextLink } from "../../components/text-link.tsx";

/** Name of a pool, with its namespace before it. */
export function PoolName({ row }: { readonly row: PoolRow }) {
  return (
    <span className="pool-name" title={`${row.namespace}/${row.name}`}>
      <span className="namespace">{row.namespace}/</span>
      <TextLink to="/pools/$namespace/$name" params={{ namespace: row.namespace, name: row.name }} inherit>
        {row.name}
      </TextLink>
    </span>
  );
}
