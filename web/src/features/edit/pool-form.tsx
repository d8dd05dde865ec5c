import { Fieldset, NativeSelect, SimpleGrid, TextInput } from "@mantine/core";
import { useTexts } from "../../i18n/use-texts.ts";
import { problemAt, valueAt, withValue } from "./draft.ts";
import { FIELD_GROUPS, type Field } from "./fields.ts";
import { type FormProps, read, written } from "./form-values.ts";
import { MemberFields } from "./member-fields.tsx";

/** A pool as a form. */
export function PoolForm(props: FormProps) {
  const say = useTexts();
  const { draft } = props;
  const isShown = ({ when }: Field) => !when || when.values.includes(String(valueAt(draft, when.path)));
  return (
    <>
      {FIELD_GROUPS.map(({ text, fields }) => (
        <Fieldset key={text} legend={say(text)} mb="md">
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
            {fields.filter(isShown).map((field) => (
              <FormField key={field.path} field={field} {...props} />
            ))}
          </SimpleGrid>
        </Fieldset>
      ))}
      <MemberFields {...props} />
    </>
  );
}

function FormField({ field, ...props }: FormProps & { readonly field: Field }) {
  const say = useTexts();
  const { draft, problems, onChange } = props;
  const value = valueAt(draft, field.path);
  const common = {
    label: say(field.text),
    error: problemAt(problems, field.path),
    disabled: field.isName === true && !props.isNew,
  };
  if (field.kind === "choice") {
    const choices = field.choices ?? [];
    return (
      <NativeSelect
        {...common}
        value={value === undefined ? "" : String(value)}
        data={[...(value === undefined ? [{ value: "", label: say("edit.default") }] : []), ...choices]}
        onChange={(event) => onChange(withValue(draft, field.path, event.currentTarget.value || undefined))}
      />
    );
  }
  return (
    <TextInput
      {...common}
      placeholder={field.placeholder}
      inputMode={field.kind === "number" ? "numeric" : undefined}
      value={written(value)}
      onChange={(event) =>
        onChange(withValue(draft, field.path, read(event.currentTarget.value, field.kind)))
      }
    />
  );
}
