import type { Member } from "./commons";

/** An organisation as people call it, with its identifier. */
export function named(members: readonly Member[], id: string): string {
  const name = members.find((one) => one.organisation === id)?.name;
  return name ? `${name} (${id})` : id;
}

/** Organisations to choose from. */
export function choices(members: readonly Member[]): { value: string; label: string }[] {
  return members.map((one) => ({ value: one.organisation, label: named(members, one.organisation) }));
}
