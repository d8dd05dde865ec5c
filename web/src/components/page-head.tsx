import { Group, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import type { ViewState } from "../lib/use-view.ts";
import { ConnectionNote, LiveMark } from "./connection-note.tsx";

/** Title of a page, what can be done there, and whether it is live. */
export function PageHead(props: {
  readonly title: string;
  readonly view?: ViewState<unknown>;
  readonly children?: ReactNode;
}) {
  const { title, view, children } = props;
  useEffect(() => {
    document.title = `${title} · Parasaus`;
  }, [title]);
  return (
    <>
      <Group justify="space-between" mb="sm" gap="sm">
        <Group gap="sm" className="page-title">
          <Title order={1} size="h3">
            {title}
          </Title>
          {view && <LiveMark isLive={view.isLive} />}
        </Group>
        {children && <Group gap="xs">{children}</Group>}
      </Group>
      {view && <ConnectionNote view={view} />}
    </>
  );
}
