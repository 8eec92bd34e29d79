// What is around every page: the way to the others, who is signed in, and whether the Master answers.
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { useLostSince } from "../api/connection.ts";
import { AccountMenu } from "./account-menu.tsx";

const PAGES = [
  ["/", "Fleet"],
  ["/nodes", "Nodes"],
  ["/activity", "Activity"],
  ["/settings", "Settings"],
] as const;

export function Shell({ children }: { children: ReactNode }): ReactNode {
  const main = useFocusOnNavigation();
  const [path] = useLocation();
  const isIn = (page: string): boolean =>
    page === "/" ? path === "/" || /^\/(sites|backups)\//.test(path) : path.startsWith(page);
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <header className="top">
        <Link href="/" className="brand" aria-label="Backupd, to the fleet">
          <img src="/favicon.svg" alt="" width="20" height="20" />
          <span>Backupd</span>
        </Link>
        <nav aria-label="Pages">
          {PAGES.map(([href, name]) => (
            <Link key={href} href={href} aria-current={isIn(href) ? "page" : undefined}>
              {name}
            </Link>
          ))}
        </nav>
        <AccountMenu />
      </header>
      <ConnectionBanner />
      <main id="main" className="page" ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function ConnectionBanner(): ReactNode {
  const lostAt = useLostSince();
  return (
    <div role="status">
      {lostAt === undefined ? null : (
        <p className="banner">
          <strong>Offline.</strong> The Master has not answered since {lostAt.toLocaleTimeString()}. What you
          see is from before; this page tries again by itself.
        </p>
      )}
    </div>
  );
}

/** A new page begins at its top, also for the keyboard and for screen readers. */
function useFocusOnNavigation(): React.RefObject<HTMLElement | null> {
  const main = useRef<HTMLElement>(null);
  const [path] = useLocation();
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return main;
}
