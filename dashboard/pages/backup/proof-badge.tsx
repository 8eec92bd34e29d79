// How sure one can be that a backup restores.
import type { ReactNode } from "react";
import type { Backup } from "#shared/contracts/backups.ts";
import { Badge } from "../../ui/badge.tsx";
import { Ago } from "../../ui/time.tsx";

type Facts = Pick<Backup, "proved_at" | "verified_at" | "verification_failed">;

export function ProofBadge({ backup }: { backup: Facts }): ReactNode {
  const { proved_at: provedAt, verified_at: verifiedAt, verification_failed: failed } = backup;
  if (failed !== null) return <Badge tone="bad">Damaged</Badge>;
  if (provedAt !== null) {
    return (
      <Badge tone="good">
        <span>
          Proved <Ago at={provedAt} />
        </span>
      </Badge>
    );
  }
  if (verifiedAt !== null) {
    return (
      <Badge tone="good">
        <span>
          Verified <Ago at={verifiedAt} />
        </span>
      </Badge>
    );
  }
  return <Badge tone="quiet">Not proved</Badge>;
}
