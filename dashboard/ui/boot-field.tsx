// The choice to run the restored WordPress in a proof, with what that means for the node.
import type { ReactNode } from "react";
import { useMayBoot } from "../api/may-boot.ts";
import { CheckField } from "./field.tsx";

interface BootFieldProps {
  readonly siteId: string;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}

export function BootField({ siteId, checked, onChange, disabled = false }: BootFieldProps): ReactNode {
  const mayBoot = useMayBoot(siteId);
  return (
    <CheckField
      label="Also start the restored WordPress, and ask it for its front page"
      help={
        mayBoot
          ? "It runs the site's code on its node, in a cage: without network, mail or anything of the live site. The node needs PHP and bubblewrap (apt install bubblewrap php-cli php-mysql); where they are missing, the proof is made without it and says so."
          : "The site shares its node with others, so running its code is for operators of the whole fleet."
      }
      checked={checked}
      onChange={onChange}
      // What the fleet's owner has turned on may be turned off.
      disabled={disabled || !(mayBoot || checked)}
    />
  );
}
