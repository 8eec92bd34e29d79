// Buttons: one primary per view, the rest quiet; danger only in the dialog whose press loses something, not on what opens it.
import type { ComponentProps, ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface ButtonProps extends Omit<ComponentProps<"button">, "className"> {
  readonly look?: "primary" | "plain" | "danger" | "ghost";
  readonly icon?: IconName;
  /** Stays the same size and cannot be pressed again. */
  readonly busy?: boolean;
}

export function Button({
  look = "plain",
  icon,
  busy = false,
  children,
  disabled,
  ...rest
}: ButtonProps): ReactNode {
  const isIconOnly = children === undefined;
  return (
    <button
      type="button"
      className={`button ${look}${isIconOnly ? " square" : ""}`}
      aria-busy={busy}
      disabled={disabled === true || busy}
      {...rest}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </button>
  );
}
