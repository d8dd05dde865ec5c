import { ActionIcon, Menu } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { Icon } from "./icons.tsx";

/** A menu behind three dots. It exists from its first use on: a list has one in every row. */
export function ActionsMenu({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const [isUsed, setUsed] = useState(false);
  const look = { variant: "subtle", color: "gray", "aria-label": label } as const;
  if (!isUsed) {
    return (
      <ActionIcon {...look} aria-haspopup="menu" aria-expanded={false} onClick={() => setUsed(true)}>
        <Icon name="more" />
      </ActionIcon>
    );
  }
  return (
    <Menu
      defaultOpened
      position="bottom-end"
      shadow="md"
      // A menu holds nothing but its items; the first of them has the focus.
      withInitialFocusPlaceholder={false}
      // In the page's main part, where screen readers look for it.
      portalProps={{ target: "#content" }}
      // Gone at once when something is chosen: the dialog that follows is not beside an empty menu.
      transitionProps={{ duration: 0 }}
    >
      <Menu.Target>
        <ActionIcon {...look}>
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}
