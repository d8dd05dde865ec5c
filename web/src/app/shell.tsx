import { AppShell, Burger, Group, NavLink, type NavLinkProps, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { createLink, Outlet } from "@tanstack/react-router";
import type { AnchorHTMLAttributes } from "react";
import { Icon } from "../components/icons.tsx";
import { LoginPage } from "../features/login/login-page.tsx";
import { useTexts } from "../i18n/use-texts.ts";
import { useMay, useSession } from "../lib/session.ts";
import { PAGES } from "./pages.ts";
import { SettingsMenu } from "./settings-menu.tsx";

type PageLinkProps = NavLinkProps & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof NavLinkProps>;

const PageLink = createLink((props: PageLinkProps) => <NavLink component="a" {...props} />);

/** The page, once it is known that somebody may see it. */
function Content() {
  const { kind } = useSession();
  if (kind === "out") return <LoginPage />;
  return kind === "in" ? <Outlet /> : null;
}

/** What every page has around it. */
export function Shell() {
  const say = useTexts();
  const may = useMay();
  const pages = PAGES.filter((page) => !("isOfCluster" in page) || may("viewer"));
  const [isOpen, { toggle, close }] = useDisclosure(false);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 214, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a className="skip-link" href="#content">
        {say("app.skip")}
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={say(isOpen ? "app.closeMenu" : "app.menu")}
            />
            <img src={`${import.meta.env.BASE_URL}icon.svg`} alt="" width="26" height="26" />
            <Text fw={700}>{say("app.name")}</Text>
          </Group>
          <SettingsMenu />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label={say("app.navigation")}>
        {pages.map(({ to, text, icon }) => (
          <PageLink key={to} to={to} label={say(text)} leftSection={<Icon name={icon} />} onClick={close} />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Content />
      </AppShell.Main>
    </AppShell>
  );
}
