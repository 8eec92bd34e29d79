// The tab's title, so that ten open tabs can be told apart.
import { useEffect } from "react";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Backupd`;
  }, [title]);
}
