import { Stack, Text } from "@mantine/core";
import { TextLink } from "../components/text-link.tsx";
import { useTexts } from "../i18n/use-texts.ts";

/** What a path shows that is no page. */
export function NotFound() {
  const say = useTexts();
  return (
    <Stack align="flex-start">
      <Text component="h1" size="lg">
        {say("app.notFound")}
      </Text>
      <TextLink to="/pools">{say("app.home")}</TextLink>
    </Stack>
  );
}
