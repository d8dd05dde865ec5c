import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useTexts } from "../i18n/use-texts.ts";

/** A dialog. The library's own head of one would count as a second banner of the page. */
export function Dialog(props: {
  readonly title: string;
  readonly size?: "md" | "lg" | "xl";
  readonly children: ReactNode;
  readonly onClose: () => void;
}) {
  const say = useTexts();
  return (
    <Modal.Root opened size={props.size ?? "md"} onClose={props.onClose}>
      <Modal.Overlay />
      <Modal.Content>
        <div className="dialog-head">
          <Modal.Title fw={650}>{props.title}</Modal.Title>
          <Modal.CloseButton aria-label={say("dialog.close")} />
        </div>
        <Modal.Body>{props.children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
