import { yaml } from "@codemirror/lang-yaml";
import { basicSetup, EditorView } from "codemirror";
import { useEffect, useRef } from "react";
import { styleNonce } from "../../app/appearance.ts";

/** A field for YAML. What is typed is told; what comes from outside replaces it. */
export function YamlEditor(props: {
  readonly label: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const tell = useRef(props.onChange);
  tell.current = props.onChange;
  const { label, text } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the first text is what it begins with; later ones come below
  useEffect(() => {
    if (!host.current) return;
    const editor = new EditorView({
      doc: text,
      parent: host.current,
      extensions: [
        basicSetup,
        yaml(),
        EditorView.cspNonce.of(styleNonce()),
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => {
          const isTyped = update.transactions.some(
            (each) =>
              each.isUserEvent("input") ||
              each.isUserEvent("delete") ||
              each.isUserEvent("undo") ||
              each.isUserEvent("redo") ||
              each.isUserEvent("move"),
          );
          if (update.docChanged && isTyped) tell.current(update.state.doc.toString());
        }),
      ],
    });
    view.current = editor;
    // What scrolls has to be reached with the keyboard.
    editor.scrollDOM.tabIndex = 0;
    return () => editor.destroy();
  }, [label]);
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);
  return <div className="yaml-editor" ref={host} />;
}
