import { Paper, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTexts } from "../i18n/use-texts.ts";

/** A titled part of a page. */
export function Panel({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const id = useId();
  return (
    <Paper component="section" withBorder p="md" aria-labelledby={id}>
      <Title order={2} size="h5" mb="xs" id={id}>
        {title}
      </Title>
      {children}
    </Paper>
  );
}

/** A part of a page that scrolls sideways by itself where its table is wider than the screen. */
export function WideTable({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const say = useTexts();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
    <section className="wide-table" tabIndex={0} aria-label={say("panel.table", { name: label })}>
      {children}
    </section>
  );
}
