import { type KeyboardEvent, useRef } from "react";
import type { AddressBlock, AddressPoolUse } from "../../../../src/model/console/address-views.ts";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatNumber } from "../../lib/format.ts";

/** How full a block is, in as many shades as can be told apart. */
const LEVELS = [0, 1, 2, 3, 4] as const;
const FULL = 4;
const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };

/** An address pool in blocks: one can be chosen, with the mouse or with the arrow keys. */
export function BlockGrid(props: {
  readonly pool: AddressPoolUse;
  readonly chosen: number | undefined;
  readonly onChoose: (block: number | undefined) => void;
}) {
  const say = useTexts();
  const { pool, chosen, onChoose } = props;
  const grid = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent, index: number) => {
    const next = nextIndex(event.key, index, grid.current, pool.blocks.length);
    if (next === undefined) return;
    event.preventDefault();
    (grid.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a grid everywhere
    <div className="blocks" role="group" aria-label={say("address.grid", { name: pool.name })} ref={grid}>
      {pool.blocks.map((block, index) => (
        <button
          key={block.first}
          type="button"
          className={`block block-${levelOf(block)}${block.quarantinedCount > 0 ? " block-kept" : ""}`}
          aria-pressed={index === chosen}
          aria-label={wordsFor(block, say)}
          title={wordsFor(block, say)}
          tabIndex={index === (chosen ?? 0) ? 0 : -1}
          onKeyDown={(event) => move(event, index)}
          onClick={() => onChoose(index === chosen ? undefined : index)}
        />
      ))}
    </div>
  );
}

/** What the shades mean. */
export function BlockLegend() {
  const say = useTexts();
  return (
    <div className="legend">
      {LEVELS.map((level) => (
        <span key={level}>
          <i className={`block block-${level}`} aria-hidden="true" /> {say(`address.level.${level}`)}
        </span>
      ))}
      <span>
        <i className="block block-0 block-kept" aria-hidden="true" /> {say("address.kept")}
      </span>
    </div>
  );
}

function levelOf({ usedCount, sizeCount }: AddressBlock): number {
  return usedCount === sizeCount ? FULL : Math.ceil((usedCount / sizeCount) * (FULL - 1));
}

function wordsFor(block: AddressBlock, say: ReturnType<typeof useTexts>): string {
  const { first, last, usedCount, sizeCount, quarantinedCount } = block;
  const used = say("address.block", {
    range: first === last ? first : `${first} – ${last}`,
    used: formatNumber(usedCount),
    size: formatNumber(sizeCount),
  });
  return quarantinedCount === 0 ? used : `${used}, ${say("address.keptCount", { count: quarantinedCount })}`;
}

/** Where an arrow key leads; a line down is as many blocks on as a line has now. */
function nextIndex(key: string, index: number, grid: HTMLElement | null, count: number): number | undefined {
  const columns = grid ? getComputedStyle(grid).gridTemplateColumns.split(" ").length : 1;
  const step = STEPS[key] ?? (key === "ArrowDown" ? columns : key === "ArrowUp" ? -columns : undefined);
  if (step === undefined) return undefined;
  return Math.min(count - 1, Math.max(0, index + step));
}
