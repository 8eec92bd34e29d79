// Copies a text and says so, to eyes and to screen readers.
import { type ReactNode, useEffect, useState } from "react";
import { Button } from "./button.tsx";

interface CopyButtonProps {
  readonly text: string;
  readonly label?: string;
  /** Only the sign is to be seen. */
  readonly isSmall?: boolean;
}

export function CopyButton({ text, label = "Copy", isSmall = false }: CopyButtonProps): ReactNode {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), 2_000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <Button
      look={isSmall ? "ghost" : "plain"}
      title={isSmall ? label : undefined}
      icon={isCopied ? "check" : "copy"}
      onClick={() => {
        navigator.clipboard.writeText(text).then(
          () => setIsCopied(true),
          () => setIsCopied(false),
        );
      }}
    >
      <span aria-live="polite" className={isSmall ? "visually-hidden" : undefined}>
        {isCopied ? "Copied" : label}
      </span>
    </Button>
  );
}
