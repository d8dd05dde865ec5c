import { Menu, type MenuItemProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import type { AnchorHTMLAttributes } from "react";

type Props = MenuItemProps & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof MenuItemProps>;

/** An entry of a menu that leads to another page of the console. */
export const MenuLink = createLink((props: Props) => <Menu.Item component="a" {...props} />);
