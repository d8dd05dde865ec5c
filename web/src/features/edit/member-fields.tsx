import { Button, CloseButton, Fieldset, NativeSelect, TextInput } from "@mantine/core";
import { useTexts } from "../../i18n/use-texts.ts";
import { problemAt, valueAt, withValue } from "./draft.ts";
import { type FormProps, read, written } from "./form-values.ts";

const STATES = ["ready", "drain", "maint"] as const;
const COLUMNS = [
  { name: "ip", text: "edit.member.ip", kind: "text" },
  { name: "port", text: "edit.member.port", kind: "number" },
  { name: "weight", text: "member.column.weight", kind: "number" },
] as const;

/** The members of a pool in a form, one a line. */
export function MemberFields({ draft, problems, onChange }: FormProps) {
  const say = useTexts();
  const found = valueAt(draft, "spec.members");
  const members: readonly unknown[] = Array.isArray(found) ? found : [];
  return (
    <Fieldset legend={say("edit.group.members")} mb="md">
      {members.map((_, index) => {
        const path = `spec.members[${index}]`;
        const line = say("edit.member", { number: index + 1 });
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a member has no name but its place while it is written
          <fieldset className="member-line" key={index} aria-label={line}>
            {COLUMNS.map(({ name, text, kind }) => (
              <TextInput
                key={name}
                label={say(text)}
                placeholder={name === "weight" ? "1" : undefined}
                inputMode={kind === "number" ? "numeric" : undefined}
                error={problemAt(problems, `${path}.${name}`)}
                value={written(valueAt(draft, `${path}.${name}`))}
                onChange={(event) =>
                  onChange(withValue(draft, `${path}.${name}`, read(event.currentTarget.value, kind)))
                }
              />
            ))}
            <NativeSelect
              label={say("pools.column.state")}
              value={String(valueAt(draft, `${path}.state`) ?? "ready")}
              error={problemAt(problems, `${path}.state`)}
              data={STATES.map((value) => ({ value, label: say(`member.do.${value}`) }))}
              onChange={(event) => onChange(withValue(draft, `${path}.state`, event.currentTarget.value))}
            />
            <CloseButton
              aria-label={say("edit.member.remove", { number: index + 1 })}
              onClick={() => onChange(withValue(draft, path, undefined))}
            />
          </fieldset>
        );
      })}
      <Button
        variant="default"
        onClick={() => onChange(withValue(draft, `spec.members[${members.length}]`, { ip: "", port: "" }))}
      >
        {say("edit.member.add")}
      </Button>
    </Fieldset>
  );
}
