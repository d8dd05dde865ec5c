import { Button, Group, PasswordInput } from "@mantine/core";
import { useState } from "react";
import { useTexts } from "../../i18n/use-texts.ts";
import { generatePassword } from "./generate-password.ts";

/** A new password, typed or made by chance, in which case it is shown. */
export function PasswordField(props: {
  readonly value: string;
  readonly isRequired?: boolean;
  readonly onChange: (password: string) => void;
}) {
  const say = useTexts();
  const [isVisible, setVisible] = useState(false);
  return (
    <Group align="flex-end" gap="sm" wrap="nowrap">
      <PasswordInput
        className="grow"
        label={say("account.newPassword")}
        description={say(props.isRequired ? "account.password.hint" : "account.password.optional")}
        autoComplete="new-password"
        required={props.isRequired === true}
        visible={isVisible}
        onVisibilityChange={setVisible}
        visibilityToggleButtonProps={{ "aria-label": say("login.show") }}
        value={props.value}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      />
      <Button
        variant="default"
        onClick={() => {
          props.onChange(generatePassword());
          setVisible(true);
        }}
      >
        {say("account.password.generate")}
      </Button>
    </Group>
  );
}
