import { Button, Group, Paper, SegmentedControl, Stack } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type {
  AddressPage,
  AddressPoolList,
  AddressPoolUse,
} from "../../../../src/model/console/address-views.ts";
import { PageHead } from "../../components/page-head.tsx";
import { Panel } from "../../components/panel.tsx";
import { SearchField } from "../../components/search-field.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatNumber, formatShare } from "../../lib/format.ts";
import { useView } from "../../lib/use-view.ts";
import { type AddressSearch, addressListUrl, readAddressSearch } from "./address-search.ts";
import { AddressTable } from "./address-table.tsx";
import { BlockGrid, BlockLegend } from "./block-grid.tsx";

const STEP_COUNT = 100;
const LONGEST_COUNT = 500;
const route = getRouteApi("/addresses");

/** How full each address pool is, and who holds what. */
export function AddressesPage() {
  const say = useTexts();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const view = useView<AddressPoolList>("/api/console/addresses");
  const pools = view.value?.pools ?? [];
  const shown = pools.find(({ name }) => name === search.of) ?? pools[0];
  const look = (next: AddressSearch) =>
    void navigate({ search: readAddressSearch({ ...next }), replace: true });
  return (
    <>
      <PageHead title={say("address.title")} view={view} />
      {pools.length > 1 && shown && (
        <SegmentedControl
          className="state-filter"
          mb="md"
          aria-label={say("edit.addressPool")}
          value={shown.name}
          data={pools.map(({ name }) => name)}
          onChange={(of) => look({ of })}
        />
      )}
      {view.value && pools.length === 0 && <p className="dimmed">{say("address.none")}</p>}
      {shown && (
        <Stack gap="md">
          <Facts pool={shown} />
          <Panel title={say("address.grid", { name: shown.name })}>
            <BlockGrid pool={shown} chosen={search.block} onChoose={(block) => look({ ...search, block })} />
            <BlockLegend />
          </Panel>
          <Holders pool={shown} search={search} onLook={look} />
        </Stack>
      )}
    </>
  );
}

function Facts({ pool }: { readonly pool: AddressPoolUse }) {
  const say = useTexts();
  const { addresses, ports, capacityCount, usedCount, quarantinedCount, quarantineSeconds, autoAssign } =
    pool;
  const used = say("address.used", {
    used: formatNumber(usedCount),
    size: formatNumber(capacityCount),
    share: formatShare(capacityCount === 0 ? 0 : usedCount / capacityCount),
  });
  const facts = [
    ["address.fact.used", used],
    ["address.fact.kept", say("address.keptFor", { count: quarantinedCount, seconds: quarantineSeconds })],
    [
      "address.fact.addresses",
      addresses.map((each) => (each === "node" ? say("pools.allNodes") : each)).join(", "),
    ],
    ["address.fact.ports", ports.join(", ")],
    ["address.fact.auto", say(autoAssign ? "address.auto" : "address.byName")],
  ] as const;
  return (
    <Paper withBorder p="md">
      <dl className="facts">
        {facts.map(([text, value]) => (
          <div key={text}>
            <dt>{say(text)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Paper>
  );
}

function Holders(props: {
  readonly pool: AddressPoolUse;
  readonly search: AddressSearch;
  readonly onLook: (next: AddressSearch) => void;
}) {
  const say = useTexts();
  const { pool, search, onLook } = props;
  const [limit, setLimit] = useState(STEP_COUNT);
  const view = useView<AddressPage>(addressListUrl(pool.name, search, limit));
  const page = view.value;
  const block = search.block === undefined ? undefined : pool.blocks[search.block];
  const range = block && (block.first === block.last ? block.first : `${block.first} – ${block.last}`);
  return (
    <Panel title={range === undefined ? say("address.holders") : say("address.holdersIn", { range })}>
      <Group align="flex-end" gap="sm">
        <SearchField
          value={search.search ?? ""}
          placeholder={say("address.search.placeholder")}
          hint={say("address.search.hint")}
          onChange={(text) => onLook({ ...search, search: text })}
        />
        {block && (
          <Button variant="default" onClick={() => onLook({ ...search, block: undefined })}>
            {say("address.wholePool")}
          </Button>
        )}
      </Group>
      <p className="dimmed" role="status">
        {page && say("address.found", { count: page.matchCount })}
      </p>
      {page && page.rows.length > 0 && <AddressTable rows={page.rows} />}
      {page && page.matchCount > page.rows.length && limit < LONGEST_COUNT && (
        <Group justify="center" mt="md">
          <Button variant="default" onClick={() => setLimit(LONGEST_COUNT)}>
            {say("operations.more")}
          </Button>
        </Group>
      )}
    </Panel>
  );
}
