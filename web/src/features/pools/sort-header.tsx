import { UnstyledButton } from "@mantine/core";
import { Icon } from "../../components/icons.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import type { PoolColumn } from "./pool-columns.tsx";
import { sortOf } from "./pool-search.ts";

/** Head of a column: a button that sorts by it, the other way round when it does already. */
export function SortHeader(props: {
  readonly column: PoolColumn;
  readonly sort: string | undefined;
  readonly onSort: (sort: string) => void;
}) {
  const say = useTexts();
  const { text, sort, isNumber } = props.column;
  const className = isNumber ? "number" : undefined;
  const column = say(text);
  if (!sort) {
    return (
      <th scope="col" className={className}>
        {column}
      </th>
    );
  }
  const current = sortOf(props.sort);
  const isCurrent = current?.key === sort;
  const isDescending = isCurrent && current.isDescending;
  const next = isCurrent && !isDescending ? `-${sort}` : sort;
  const order = isDescending ? "descending" : "ascending";
  const hint = next === sort ? "pools.sort.ascending" : "pools.sort.descending";
  return (
    <th scope="col" className={className} aria-sort={isCurrent ? order : "none"}>
      <UnstyledButton
        className="sort-button"
        title={say(hint, { column })}
        onClick={() => props.onSort(next)}
      >
        {column}
        {isCurrent && <Icon name={isDescending ? "down" : "up"} size={14} />}
      </UnstyledButton>
    </th>
  );
}
