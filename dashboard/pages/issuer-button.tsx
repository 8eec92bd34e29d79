// Leaves for the organisation's sign-in, and comes back to this very page.
import { type ReactNode, useState } from "react";
import { Button } from "../ui/button.tsx";

interface IssuerButtonProps {
  readonly look: "primary" | "plain";
  readonly children: ReactNode;
}

export function IssuerButton({ look, children }: IssuerButtonProps): ReactNode {
  const [isBusy, setIsBusy] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  const leave = async (): Promise<void> => {
    setIsBusy(true);
    setHasFailed(false);
    try {
      const { beginSignIn } = await import("../api/issuer.ts");
      await beginSignIn(location.pathname + location.search);
    } catch {
      setIsBusy(false);
      setHasFailed(true);
    }
  };
  return (
    <>
      <Button look={look} busy={isBusy} onClick={() => void leave()}>
        {children}
      </Button>
      {hasFailed ? (
        <span className="help bad" role="alert">
          The identity provider does not answer. Check the network and try again.
        </span>
      ) : null}
    </>
  );
}
