import { Button, Group, Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import type { OperationPage } from "../../../../src/model/console/operation-views.ts";
import { PageHead } from "../../components/page-head.tsx";
import { SearchField } from "../../components/search-field.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatNumber } from "../../lib/format.ts";
import { useView } from "../../lib/use-view.ts";
import { readOperationSearch } from "./operation-search.ts";
import { OperationTable } from "./operation-table.tsx";

const STEP_COUNT = 50;
const LONGEST_COUNT = 500;
const route = getRouteApi("/operations");

/** What operators did: found by what is typed, newest first, live. */
export function OperationsPage() {
  const say = useTexts();
  const { search = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [limit, setLimit] = useState(STEP_COUNT);
  const query = new URLSearchParams({ search, limit: String(limit) });
  const view = useView<OperationPage>(`/api/console/operations?${query}`);
  const page = view.value;
  const hasMore = page !== undefined && page.matchCount > page.rows.length && limit < LONGEST_COUNT;
  return (
    <>
      <PageHead title={say("operations.title")} view={view} />
      <SearchField
        value={search}
        placeholder={say("operations.search.placeholder")}
        hint={say("operations.search.hint")}
        onChange={(text) => void navigate({ search: readOperationSearch({ search: text }), replace: true })}
      />
      <Text size="sm" c="dimmed" role="status" my={6} className="result-count">
        {page &&
          say("operations.matches", {
            matches: formatNumber(page.matchCount),
            total: formatNumber(page.totalCount),
          })}
      </Text>
      {page && <OperationTable rows={page.rows} />}
      {hasMore && (
        <Group justify="center" mt="md">
          <Button variant="default" onClick={() => setLimit(Math.min(LONGEST_COUNT, limit + STEP_COUNT * 3))}>
            {say("operations.more")}
          </Button>
        </Group>
      )}
    </>
  );
}
