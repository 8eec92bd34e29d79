// Asks before something is lost. Where it cannot be taken back, the name has to be typed.
import { type ReactNode, useState } from "react";
import type { ApiFault } from "../api/problem.ts";
import { Button } from "./button.tsx";
import { Dialog, DialogActions } from "./dialog.tsx";
import { FaultNote } from "./fault-view.tsx";
import { TextField } from "./field.tsx";

interface ConfirmDialogProps {
  readonly title: string;
  /** The verb on the button. */
  readonly action: string;
  readonly children: ReactNode;
  /** Has to be typed first. */
  readonly typed?: string | undefined;
  readonly busy: boolean;
  readonly fault: ApiFault | null;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function ConfirmDialog(props: ConfirmDialogProps): ReactNode {
  const { title, action, children, typed, busy, fault, onConfirm, onClose } = props;
  const [text, setText] = useState("");
  const isReady = typed === undefined || text === typed;
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady && !busy) onConfirm();
        }}
      >
        {children}
        {typed === undefined ? null : (
          <TextField label={`Type ${typed} to confirm`} value={text} onChange={setText} autoComplete="off" />
        )}
        {fault === null ? null : <FaultNote fault={fault} />}
        <DialogActions onClose={onClose}>
          <Button type="submit" look="danger" busy={busy} disabled={!isReady}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
