import { Button, CloseButton, Fieldset, NativeSelect, TextInput } from "@mantine/core";
import { ROLES, type Role } from "../../../../src/model/access/access.ts";
import { useTexts } from "../../i18n/use-texts.ts";
import type { Roles } from "./account-writes.ts";

/** Which role, or none. */
export function RoleSelect(props: {
  readonly label: string;
  readonly none: string;
  readonly value: Role | undefined;
  readonly onChange: (role: Role | undefined) => void;
}) {
  const say = useTexts();
  return (
    <NativeSelect
      label={props.label}
      value={props.value ?? ""}
      data={[
        { value: "", label: props.none },
        ...ROLES.map((role) => ({ value: role, label: say(`role.${role}`) })),
      ]}
      onChange={(event) => props.onChange(ROLES.find((role) => role === event.currentTarget.value))}
    />
  );
}

/** What an account may do: everywhere, and in single namespaces. */
export function RoleFields(props: { readonly value: Roles; readonly onChange: (roles: Roles) => void }) {
  const say = useTexts();
  const { role, bound } = props.value;
  const change = (index: number, next: Partial<Roles["bound"][number]>) =>
    props.onChange({ role, bound: bound.map((each, at) => (at === index ? { ...each, ...next } : each)) });
  return (
    <>
      <RoleSelect
        label={say("account.roleEverywhere")}
        none={say("role.none")}
        value={role}
        onChange={(next) => props.onChange({ role: next, bound })}
      />
      <Fieldset legend={say("account.rolesInNamespaces")}>
        {bound.map((each, index) => (
          <fieldset
            className="role-line"
            // biome-ignore lint/suspicious/noArrayIndexKey: a line has no name but its place while it is written
            key={index}
            aria-label={say("account.roleLine", { number: index + 1 })}
          >
            <TextInput
              label={say("edit.namespace")}
              required
              value={each.namespace}
              onChange={(event) => change(index, { namespace: event.currentTarget.value })}
            />
            <NativeSelect
              label={say("account.role")}
              value={each.role}
              data={ROLES.map((value) => ({ value, label: say(`role.${value}`) }))}
              onChange={(event) => change(index, { role: event.currentTarget.value as Role })}
            />
            <CloseButton
              aria-label={say("account.roleLine.remove", { number: index + 1 })}
              onClick={() => props.onChange({ role, bound: bound.filter((_, at) => at !== index) })}
            />
          </fieldset>
        ))}
        <Button
          variant="default"
          onClick={() => props.onChange({ role, bound: [...bound, { namespace: "", role: "viewer" }] })}
        >
          {say("account.roleLine.add")}
        </Button>
      </Fieldset>
    </>
  );
}
