// Who is signed in, the theme, and the way out.
import { DropdownMenu } from "radix-ui";
import { type ReactNode, useState } from "react";
import { useMe } from "../api/role.tsx";
import { signOut } from "../api/sign-out.ts";
import { setTheme, storedTheme, type Theme } from "../lib/theme.ts";

const THEMES: readonly (readonly [Theme, string])[] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

export function AccountMenu(): ReactNode {
  const me = useMe();
  const [theme, setShownTheme] = useState(storedTheme);
  const choose = (value: string): void => {
    setTheme(value as Theme);
    setShownTheme(value as Theme);
  };
  return (
    // Not modal: locking the page's scroll would need an inline style, which the policy forbids.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="account">
        <span className="visually-hidden">Account: {me.label}, </span>
        <span className="avatar" aria-hidden="true">
          {me.label.slice(0, 1).toUpperCase()}
        </span>
        <span className="account-name">{me.role}</span>
      </DropdownMenu.Trigger>
      <DropdownMenu.Content className="menu" align="end" sideOffset={6}>
        <DropdownMenu.Label className="menu-label">
          {me.label} <span className="muted">({[me.role, me.tenant].filter(Boolean).join(", ")})</span>
        </DropdownMenu.Label>
        <DropdownMenu.Separator className="menu-line" />
        <DropdownMenu.RadioGroup value={theme} onValueChange={choose} aria-label="Theme">
          {THEMES.map(([value, text]) => (
            <DropdownMenu.RadioItem key={value} value={value} className="menu-item">
              {text}
              <DropdownMenu.ItemIndicator>✓</DropdownMenu.ItemIndicator>
            </DropdownMenu.RadioItem>
          ))}
        </DropdownMenu.RadioGroup>
        <DropdownMenu.Separator className="menu-line" />
        <DropdownMenu.Item className="menu-item" onSelect={() => void signOut(me)}>
          Sign out
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
