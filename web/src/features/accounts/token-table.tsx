import { Button } from "@mantine/core";
import { useState } from "react";
import type { TokenRow } from "../../../../src/model/console/account-views.ts";
import { GridTable } from "../../components/grid-table.tsx";
import { TimeAgo } from "../../components/time-ago.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { formatTime } from "../../lib/format.ts";
import { useNow } from "../../lib/use-now.ts";
import { RevokeTokenDialog } from "./token-dialogs.tsx";

const COLUMNS = [
  "edit.name",
  "token.column.reach",
  "token.column.expires",
  "account.column.created",
  "pools.column.actions",
] as const;

/** API tokens, how far each reaches, and until when. */
export function TokenTable({ tokens }: { readonly tokens: readonly TokenRow[] }) {
  const say = useTexts();
  const nowMs = useNow();
  const [revoked, setRevoked] = useState<TokenRow>();
  if (tokens.length === 0) return <p className="dimmed">{say("token.none")}</p>;
  return (
    <>
      <GridTable label={say("token.title")} columns={COLUMNS} className="members-grid">
        {tokens.map((token) => (
          <tr key={token.name}>
            <td>
              <strong>{token.name}</strong>
              <br />
              <span className="dimmed">{token.description}</span>
            </td>
            <td>
              {token.role ? say("token.atMost", { role: say(`role.${token.role}`) }) : say("token.asAccount")}
              {token.namespaces && (
                <>
                  <br />
                  <span className="dimmed">{token.namespaces.join(", ")}</span>
                </>
              )}
            </td>
            <td>
              {Date.parse(token.expires) > nowMs ? (
                formatTime(token.expires)
              ) : (
                <span className="bad">{say("token.ended", { time: formatTime(token.expires) })}</span>
              )}
            </td>
            <td>
              <TimeAgo time={token.created} />
            </td>
            <td>
              <Button
                size="compact-sm"
                variant="default"
                aria-label={say("token.revoke.of", { name: token.name })}
                onClick={() => setRevoked(token)}
              >
                {say("token.revoke")}
              </Button>
            </td>
          </tr>
        ))}
      </GridTable>
      {revoked && <RevokeTokenDialog token={revoked} onClose={() => setRevoked(undefined)} />}
    </>
  );
}
