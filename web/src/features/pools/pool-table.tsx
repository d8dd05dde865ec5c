import { Center, Loader, Stack, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { PoolPage, PoolRow } from "../../../../src/model/console/pool-views.ts";
import { useTexts } from "../../i18n/use-texts.ts";
import { PoolCard } from "./pool-card.tsx";
import { POOL_COLUMNS } from "./pool-columns.tsx";
import { SortHeader } from "./sort-header.tsx";

const ROW_PX = 42;
const CARD_PX = 104;

/** Pools in a table of which only what is in sight exists; on a narrow screen as cards. */
export function PoolTable(props: {
  readonly page: PoolPage | undefined;
  readonly sort: string | undefined;
  readonly onSort: (sort: string) => void;
  readonly onFirstIndex: (index: number) => void;
  /** When it changes, the list begins at its top again. */
  readonly listKey: string;
}) {
  const say = useTexts();
  const { page, listKey, onFirstIndex } = props;
  const isNarrow = useMediaQuery("(max-width: 62em)") ?? false;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: page?.matchCount ?? 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => (isNarrow ? CARD_PX : ROW_PX),
    overscan: 6,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: measures anew when the form changes
  useEffect(() => virtual.measure(), [isNarrow, virtual]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top
  useEffect(() => virtual.scrollToOffset(0), [listKey, virtual]);
  const items = virtual.getVirtualItems();
  const firstIndex = virtual.range?.startIndex ?? 0;
  useEffect(() => onFirstIndex(firstIndex), [firstIndex, onFirstIndex]);
  if (!page) return <Waiting />;
  if (page.matchCount === 0) return <NothingFound isEmpty={page.totalCount === 0} />;
  const rowAt = (index: number) => page.rows[index - page.offsetCount];
  const before = items[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  const caption = say("pools.caption", { count: page.matchCount });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <section className="scroller" ref={scroller} tabIndex={0} aria-label={caption}>
      {isNarrow ? (
        <ul className="cards">
          <li aria-hidden="true" style={{ height: before }} />
          {items.map(({ index }) => (
            <PoolCard key={index} row={rowAt(index)} heightPx={CARD_PX} />
          ))}
          <li aria-hidden="true" style={{ height: after }} />
        </ul>
      ) : (
        <table className="grid pools-grid" aria-rowcount={page.matchCount + 1}>
          <caption className="only-spoken">{caption}</caption>
          <thead>
            <tr aria-rowindex={1}>
              {POOL_COLUMNS.map((column) => (
                <SortHeader key={column.text} column={column} sort={props.sort} onSort={props.onSort} />
              ))}
            </tr>
          </thead>
          <tbody>
            <Spacer heightPx={before} />
            {items.map(({ index }) => (
              <TableRow key={index} index={index} row={rowAt(index)} />
            ))}
            <Spacer heightPx={after} />
          </tbody>
        </table>
      )}
    </section>
  );
}

function TableRow({ index, row }: { readonly index: number; readonly row: PoolRow | undefined }) {
  return (
    <tr aria-rowindex={index + 2} style={{ height: ROW_PX }}>
      {POOL_COLUMNS.map(({ text, Cell, isNumber }) => (
        <td key={text} className={isNumber ? "number" : undefined}>
          {row && <Cell row={row} />}
        </td>
      ))}
    </tr>
  );
}

function Spacer({ heightPx }: { readonly heightPx: number }) {
  if (heightPx <= 0) return null;
  return (
    <tr>
      <td colSpan={POOL_COLUMNS.length} className="spacer" style={{ height: heightPx }} />
    </tr>
  );
}

function Waiting() {
  const say = useTexts();
  return (
    <Center mih={200}>
      <Loader aria-label={say("app.loading")} role="status" />
    </Center>
  );
}

function NothingFound({ isEmpty }: { readonly isEmpty: boolean }) {
  const say = useTexts();
  return (
    <Center mih={200}>
      <Stack align="center" gap={4}>
        <Text fw={600}>{say(isEmpty ? "pools.none" : "pools.noMatch")}</Text>
        {isEmpty && <Text c="dimmed">{say("pools.none.hint")}</Text>}
      </Stack>
    </Center>
  );
}
