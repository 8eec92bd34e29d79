// A long name that nobody reads and everybody copies: cut where the room ends, whole on hover and in the clipboard.
import type { ReactNode } from "react";
import { CopyButton } from "./copy-button.tsx";

/** `what` is for who does not see the button: "path in the storage". */
export function Copyable({ text, what }: { text: string; what: string }): ReactNode {
  return (
    <span className="copyable">
      <code title={text}>{text}</code>
      <CopyButton text={text} label={`Copy the ${what}`} isSmall />
    </span>
  );
}
