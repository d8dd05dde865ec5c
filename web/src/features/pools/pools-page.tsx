import { Group, SegmentedControl, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { POOL_STATES, type PoolPage, type PoolState } from "../../../../src/model/console/pool-views.ts";
import { ButtonLink } from "../../components/button-link.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { SearchField } from "../../components/search-field.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatNumber } from "../../lib/format.ts";
import { useMaySomewhere } from "../../lib/session.ts";
import { useView } from "../../lib/use-view.ts";
import { type PoolSearch, poolListUrl } from "./pool-search.ts";
import { PoolTable } from "./pool-table.tsx";

/** Rows that are asked for at a time. */
export const WINDOW_COUNT = 100;
/** The next part is asked for when so many rows before the end of this one come into sight. */
const STEP_COUNT = 40;
const route = getRouteApi("/pools");

/** All pools: found by what is typed, sorted by any column, live. */
export function PoolsPage() {
  const say = useTexts();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const mayCreate = useMaySomewhere()("operator");
  const [firstIndex, setFirstIndex] = useState(0);
  const offset = Math.max(0, Math.floor(firstIndex / STEP_COUNT) * STEP_COUNT - STEP_COUNT);
  const view = useView<PoolPage>(poolListUrl(search, offset, WINDOW_COUNT));
  const choose = (change: Partial<PoolSearch>) => {
    void navigate({ search: { ...search, ...change }, replace: true });
  };
  const page = view.value;
  return (
    <div className="fill">
      <PageHead title={say("pools.title")} view={view}>
        {mayCreate && <ButtonLink to="/new-pool">{say("pools.new")}</ButtonLink>}
      </PageHead>
      <Group align="flex-end" mb="xs" gap="sm">
        <SearchField
          value={search.search ?? ""}
          placeholder={say("pools.search.placeholder")}
          hint={say("pools.search.hint")}
          onChange={(text) => choose({ search: text })}
        />
        <StateFilter value={search.state} states={page?.states} onChange={(state) => choose({ state })} />
      </Group>
      <Text size="sm" c="dimmed" role="status" mb={4} className="result-count">
        {page && resultText(page, say)}
      </Text>
      <PoolTable
        page={page}
        sort={search.sort}
        onSort={(sort) => choose({ sort })}
        onFirstIndex={setFirstIndex}
        listKey={`${search.search} ${search.state} ${search.sort}`}
      />
    </div>
  );
}

function resultText(page: PoolPage, say: ReturnType<typeof useTexts>): string {
  if (page.matchCount === page.totalCount) return say("pools.count", { count: page.totalCount });
  return say("pools.matches", {
    matches: formatNumber(page.matchCount),
    total: formatNumber(page.totalCount),
  });
}

function StateFilter(props: {
  readonly value: PoolState | undefined;
  readonly states: PoolPage["states"] | undefined;
  readonly onChange: (state: PoolState | undefined) => void;
}) {
  const say = useTexts();
  return (
    <SegmentedControl
      className="state-filter"
      aria-label={say("pools.filter")}
      value={props.value ?? ""}
      data={[
        { value: "", label: say("pools.filter.all") },
        ...POOL_STATES.map((state) => ({ value: state, label: say(`state.${state}`) })),
      ]}
      onChange={(value) => props.onChange(POOL_STATES.find((state) => state === value))}
    />
  );
}
