// How long an upload that was cut short is worth going on with. Both sides keep to it: the runner, which ends older ones,
// and the Master, which no longer gives their path away. The bucket's own rule ends what both have forgotten after 7 days.

export const RESUMABLE_MS: number = 3 * 86_400_000;
