import { Alert, Button, Stack } from "@mantine/core";
import { useTexts } from "../i18n/use-texts.ts";

/** What a page shows that has thrown. */
export function PageFailure({ error }: { readonly error: unknown }) {
  const say = useTexts();
  const message = error instanceof Error ? error.message : String(error);
  return (
    <Stack align="flex-start" role="alert">
      <Alert color="red" title={say("app.failed", { message })} />
      <Button onClick={() => location.reload()}>{say("app.reload")}</Button>
    </Stack>
  );
}
