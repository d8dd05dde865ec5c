import {
  Alert,
  Anchor,
  Button,
  Center,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { FailureNote } from "../../components/confirm-dialog.tsx";
import { useTexts } from "../../i18n/use-texts.ts";
import { type ApiFailure, ask } from "../../lib/api.ts";
import { loadSession } from "../../lib/session.ts";
import type { LoginSearch } from "./login-search.ts";

/** Asks for name and password, or makes the first administrator with the code that the server printed. */
export function LoginPage() {
  const say = useTexts();
  const [isFirst, setFirst] = useState(false);
  const [code, setCode] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [failure, setFailure] = useState<ApiFailure>();
  const hasOidc = useHasOidc();
  const { oidc: problem }: LoginSearch = useSearch({ strict: false });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setFailure(undefined);
    try {
      if (isFirst) {
        await ask("/api/first-administrator", {
          method: "POST",
          body: { code: code.trim(), name, password },
        });
      }
      await ask("/api/login", { method: "POST", body: { name, password } });
      await loadSession();
    } catch (refusal) {
      setFailure(refusal as ApiFailure);
    }
  };
  return (
    <Center mih="60vh">
      <Paper component="form" withBorder p="lg" w={360} maw="100%" onSubmit={(event) => void submit(event)}>
        <Stack>
          <Title order={1} size="h3">
            {say(isFirst ? "login.first" : "login.title")}
          </Title>
          {problem && !failure && (
            <Alert color="red" role="alert" title={say("failure.title")}>
              {say(`login.oidc.${problem}`)}
            </Alert>
          )}
          {isFirst && (
            <>
              <Text size="sm">{say("login.first.hint")}</Text>
              <TextInput
                label={say("login.code")}
                autoComplete="one-time-code"
                required
                value={code}
                onChange={(event) => setCode(event.currentTarget.value)}
              />
            </>
          )}
          <TextInput
            label={say("login.name")}
            autoComplete="username"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label={say("login.password")}
            autoComplete={isFirst ? "new-password" : "current-password"}
            required
            visibilityToggleButtonProps={{ "aria-label": say("login.show") }}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {failure && <FailureNote failure={failure} />}
          <Button type="submit">{say(isFirst ? "login.create" : "login.do")}</Button>
          {hasOidc && !isFirst && (
            <Button component="a" href="/api/oidc/login" variant="default">
              {say("login.oidc")}
            </Button>
          )}
          <Anchor component="button" type="button" size="sm" onClick={() => setFirst(!isFirst)}>
            {say(isFirst ? "login.have" : "login.first")}
          </Anchor>
        </Stack>
      </Paper>
    </Center>
  );
}

/** Whether accounts may log in at an OIDC provider. */
function useHasOidc(): boolean {
  const [hasOidc, setHasOidc] = useState(false);
  useEffect(() => {
    // Without an answer there is the password.
    void ask<{ readonly oidc: boolean }>("/api/login").then(
      ({ oidc }) => setHasOidc(oidc),
      () => undefined,
    );
  }, []);
  return hasOidc;
}
