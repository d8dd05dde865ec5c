import type { PoolState } from "../../../src/model/console/pool-views.ts";
import { useTexts } from "../i18n/use-texts.ts";

const SHAPES: Readonly<Record<PoolState, string>> = {
  up: "M7 1.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11z",
  degraded: "M7 1.2 13 12.5H1z",
  down: "M7 .8 13.2 7 7 13.2.8 7z",
  unchecked: "M1.8 1.8h10.4v10.4H1.8z",
  empty: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z",
};

/** How something is, by colour, by shape and in words. @param props.text Default: the state's word for a pool. */
export function StateMark({ state, text }: { readonly state: PoolState; readonly text?: string }) {
  const say = useTexts();
  return (
    <span className={`state state-${state}`}>
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true" focusable="false">
        <path d={SHAPES[state]} />
      </svg>
      <span>{text ?? say(`state.${state}`)}</span>
    </span>
  );
}
