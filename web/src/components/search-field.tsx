import { CloseButton, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { useTexts } from "../i18n/use-texts.ts";
import { Icon } from "./icons.tsx";

const TYPING_MS = 60;

/** A field to search with, which tells what was typed when one stops for a moment. */
export function SearchField(props: {
  readonly value: string;
  readonly placeholder: string;
  readonly hint: string;
  readonly onChange: (text: string) => void;
}) {
  const say = useTexts();
  const [typed, setTyped] = useState(props.value);
  const tell = useDebouncedCallback(props.onChange, TYPING_MS);
  useEffect(() => setTyped(props.value), [props.value]);
  const type = (text: string) => {
    setTyped(text);
    tell(text);
  };
  return (
    <TextInput
      className="search-field"
      type="search"
      aria-label={say("pools.search")}
      description={props.hint}
      inputWrapperOrder={["label", "input", "description"]}
      placeholder={props.placeholder}
      leftSection={<Icon name="search" size={16} />}
      rightSection={
        typed !== "" && (
          <CloseButton size="sm" aria-label={say("pools.search.clear")} onClick={() => type("")} />
        )
      }
      value={typed}
      onChange={(event) => type(event.currentTarget.value)}
    />
  );
}
