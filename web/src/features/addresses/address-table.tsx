import type { AddressRow } from "../../../../src/model/console/address-views.ts";
import { GridTable } from "../../components/grid-table.tsx";
import { TextLink } from "../../components/text-link.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatAddress, formatTime } from "../../lib/format.ts";

const COLUMNS = [
  "pool.address",
  "pools.column.protocol",
  "address.column.holder",
  "health.column.since",
] as const;

/** Connect addresses, who holds each and since when, or until when it is kept back. */
export function AddressTable({ rows }: { readonly rows: readonly AddressRow[] }) {
  const say = useTexts();
  return (
    <GridTable label={say("address.title")} columns={COLUMNS}>
      {rows.map((row) => (
        <tr key={`${row.ip} ${row.port} ${row.protocol} ${row.until ?? ""}`}>
          <td className="mono">{wordsFor(row, say)}</td>
          <td>{row.protocol}</td>
          <td>
            <Holder row={row} />
          </td>
          <td>
            {row.until === undefined ? (
              row.since !== "" && (
                <>
                  <TimeAgo time={row.since} /> <span className="dimmed">{formatTime(row.since)}</span>
                </>
              )
            ) : (
              <span className="warning-word">
                {say("address.keptUntil", { time: formatTime(row.until) })}
              </span>
            )}
          </td>
        </tr>
      ))}
    </GridTable>
  );
}

function Holder({ row: { namespace, pool, until } }: { readonly row: AddressRow }) {
  const say = useTexts();
  if (until !== undefined) {
    return <span className="dimmed">{say("address.released", { name: `${namespace}/${pool}` })}</span>;
  }
  return (
    <TextLink to="/pools/$namespace/$name" params={{ namespace, name: pool }} inherit>
      {namespace}/{pool}
    </TextLink>
  );
}

function wordsFor({ ip, port, lastPort }: AddressRow, say: ReturnType<typeof useTexts>): string {
  const first = ip === "*" ? `${say("pools.allNodes")} :${port}` : formatAddress(ip, port);
  return lastPort === undefined ? first : `${first}-${lastPort}`;
}
