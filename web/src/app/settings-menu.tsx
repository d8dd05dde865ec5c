import {
  ActionIcon,
  Button,
  NativeSelect,
  Popover,
  SegmentedControl,
  Stack,
  Text,
  TextInput,
  useMantineColorScheme,
} from "@mantine/core";
import { useState } from "react";
import { Icon } from "../components/icons.tsx";
import { chooseLanguage, currentLanguage, LANGUAGES, type Language } from "../i18n/index.ts";
import { useTexts } from "../i18n/use-texts.ts";
import { ask } from "../lib/api.ts";
import { loadSession, useSession } from "../lib/session.ts";
import { readSetting, writeSetting } from "../lib/settings.ts";

const THEMES = ["auto", "light", "dark"] as const;

/** Language, theme, and the name under which changes are recorded. */
export function SettingsMenu() {
  const say = useTexts();
  const [operator, setOperator] = useState(() => readSetting("operator"));
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const session = useSession();
  const logOut = async () => {
    await ask("/api/logout", { method: "POST", body: {} });
    await loadSession();
  };
  const rename = (name: string) => {
    setOperator(name);
    writeSetting("operator", name.trim() === "" ? "console" : name.trim());
  };
  return (
    <Popover width={300} position="bottom-end" trapFocus withRoles shadow="md">
      <Popover.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={say("app.settings")}>
          <Icon name="settings" size={22} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={say("app.settings")}>
        <Stack>
          <NativeSelect
            label={say("app.language")}
            value={currentLanguage()}
            data={LANGUAGES}
            onChange={(event) => void chooseLanguage(event.currentTarget.value as Language)}
          />
          <div>
            <Text size="sm" fw={500} id="theme-label">
              {say("app.theme")}
            </Text>
            <SegmentedControl
              fullWidth
              aria-labelledby="theme-label"
              value={colorScheme}
              data={THEMES.map((value) => ({ value, label: say(`app.theme.${value}`) }))}
              onChange={(value) => setColorScheme(value as (typeof THEMES)[number])}
            />
          </div>
          {session.kind === "in" && session.name === undefined && (
            <TextInput
              label={say("app.operator")}
              description={say("app.operator.hint")}
              value={operator}
              onChange={(event) => rename(event.currentTarget.value)}
            />
          )}
          {session.kind === "in" && session.name !== undefined && (
            <>
              <Text size="sm">{say("login.as", { name: session.name })}</Text>
              <Button variant="default" onClick={() => void logOut()}>
                {say("login.out")}
              </Button>
            </>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
