// Before a proof: what it does on the node, and whether WordPress is started, too.
import { type ReactNode, useState } from "react";
import { BootField } from "../../ui/boot-field.tsx";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";

interface ProveDialogProps {
  readonly siteId: string;
  readonly onStart: (boot: boolean) => void;
  readonly onClose: () => void;
}

export function ProveDialog({ siteId, onStart, onClose }: ProveDialogProps): ReactNode {
  const [boot, setBoot] = useState(false);
  return (
    <Dialog title="Prove this backup" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onStart(boot);
        }}
      >
        <p>
          The site's node restores it beside the site, into a throw-away database, compares everything, and
          removes it again.
        </p>
        <BootField siteId={siteId} checked={boot} onChange={setBoot} />
        <DialogActions onClose={onClose}>
          <Button type="submit" look="primary">
            Prove
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
